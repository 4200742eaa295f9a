import { runBackend } from '../run-backend.ts'
import { startReviews } from './server.ts'

await runBackend(startReviews, 4003)
