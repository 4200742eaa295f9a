import { runBackend } from '../run-backend.ts'
import { startProducts } from './server.ts'

await runBackend(startProducts, 4002)
