import { isUtf8 } from 'node:buffer'
import { GatewayError } from '../core/error.ts'
import type { HttpExchange } from '../core/http-exchange.ts'
import { requireJsonBody } from '../core/json-body-type.ts'
import { readBody } from '../core/request-body.ts'

/**
 * The text of a request body that says of itself that it is JSON in UTF-8. Rejects with UNSUPPORTED_MEDIA_TYPE, INVALID_BODY (no UTF-8)
 * and all that {@link readBody} does.
 */
export async function readJsonText(x: HttpExchange, maxBytes: number): Promise<string> {
  requireJsonBody(x)
  const body = await readBody(x, maxBytes)
  if (!isUtf8(body)) throw new GatewayError('INVALID_BODY', 'The body is not valid UTF-8.')
  return body.toString()
}
