import type { JsonObject, JsonValue, Registry } from '@bufbuild/protobuf'
import type { GatewayError } from '../../../core/error.ts'
import type { HttpExchange } from '../../../core/http-exchange.ts'
import { type Code, grpcNumbers } from '../../../core/reason-entry.ts'
import { statusDetails } from '../native/status-bytes.ts'
import { type DecodedDetail, decodeDetails } from '../rpc-status.ts'

/** An error as Connect spells it: the body of a failed unary call, or a member of the end of a stream. */
export interface ConnectError {
  readonly code: Code
  readonly message?: string
  readonly details?: readonly ConnectDetail[]
}

/** One detail: its type's full name, its bytes in base64 without padding, and, where the type is known, its JSON. */
export interface ConnectDetail {
  readonly type: string
  readonly value: string
  readonly debug?: JsonValue
}

/** A status with its encoded `google.rpc.Status` in base64; undefined: it has no details. A code that there is not is `unknown`. */
export function connectError(
  {
    code,
    message,
    bin,
  }: { readonly code: number; readonly message: string; readonly bin: string | undefined },
  registry: Registry,
): ConnectError {
  const details = bin === undefined ? [] : decodeDetails(bin, registry).map(connectDetail)
  return {
    code: codes[code] ?? 'unknown',
    ...(message === '' ? {} : { message }),
    ...(details.length === 0 ? {} : { details }),
  }
}

/** A refusal of the gateway itself. */
export function connectRefusal(x: HttpExchange, error: GatewayError, registry: Registry): ConnectError {
  return connectError(
    { code: grpcNumbers[error.code], message: error.message, bin: statusDetails(x, error) },
    registry,
  )
}

const codes: readonly (Code | undefined)[] = Object.entries(grpcNumbers).reduce<Code[]>(
  (list, [code, number]) => {
    list[number] = code as Code
    return list
  },
  [],
)

function connectDetail({ any: { typeUrl, value }, json }: DecodedDetail): ConnectDetail {
  const type = typeUrl.slice(typeUrl.lastIndexOf('/') + 1)
  const bytes = Buffer.from(value).toString('base64').replace(/=+$/, '')
  return json === undefined ? { type, value: bytes } : { type, value: bytes, debug: debugOf(json) }
}

/** Without the type, which stands beside it; a well-known type has its JSON as `value`. */
function debugOf({ '@type': _, ...rest }: JsonObject): JsonValue {
  const names = Object.keys(rest)
  return names.length === 1 && names[0] === 'value' ? (rest.value as JsonValue) : rest
}
