import type { HttpExchange } from '../../../core/http-exchange.ts'
import type { ConnectError } from './connect-error.ts'

/** Notes for the log how a call ended (OpenTelemetry, "Semantic conventions for Connect RPC"). */
export function noteOutcome(x: HttpExchange, code: number, error: ConnectError | undefined): void {
  x.attributes['rpc.grpc.status_code'] = code
  if (error !== undefined) x.attributes['rpc.connect_rpc.error_code'] = error.code
}
