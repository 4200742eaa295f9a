import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js'
import { runBackend } from '../run-backend.ts'
import { startLibrary } from './server.ts'

// grpc-js would add a line of its own to what runBackend says of a taken port.
setLogVerbosity(logVerbosity.NONE)
await runBackend(startLibrary, 50051)
