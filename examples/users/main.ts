import { runBackend } from '../run-backend.ts'
import { startUsers } from './server.ts'

const version = process.env.VERSION === '2' ? 2 : 1
await runBackend((options) => startUsers({ ...options, version }), version === 1 ? 8001 : 8002)
