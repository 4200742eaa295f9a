import { runBackend } from '../run-backend.ts'
import { startOrders } from './server.ts'

const instance = process.env.INSTANCE ?? 'a'
await runBackend((options) => startOrders({ ...options, instance }), instance === 'b' ? 8004 : 8003)
