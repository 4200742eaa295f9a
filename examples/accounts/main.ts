import { runBackend } from '../run-backend.ts'
import { startAccounts } from './server.ts'

await runBackend(startAccounts, 4001)
