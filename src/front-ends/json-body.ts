import { isUtf8 } from 'node:buffer'
import { GatewayError } from '../core/error.ts'
import type { HttpExchange } from '../core/http-exchange.ts'
import { essence } from '../core/media-type.ts'
import { readBody } from './body.ts'

/**
 * The text of a request body that says of itself that it is JSON in UTF-8. Rejects with UNSUPPORTED_MEDIA_TYPE, INVALID_BODY (no UTF-8)
 * and all that {@link readBody} does.
 */
export async function readJsonText(x: HttpExchange, maxBytes: number): Promise<string> {
  const contentType = x.header('content-type') ?? ''
  if (essence(contentType) !== 'application/json') {
    throw new GatewayError('UNSUPPORTED_MEDIA_TYPE', 'Send the body as application/json.', {
      headers: ['Accept-Post', 'application/json'],
    })
  }
  const charset = /;\s*charset="?([^";\s]+)/i.exec(contentType)?.[1]?.toLowerCase()
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8')
    throw new GatewayError('UNSUPPORTED_MEDIA_TYPE', 'JSON is read as UTF-8 only.')
  if ((x.header('content-encoding') ?? 'identity') !== 'identity') {
    throw new GatewayError('UNSUPPORTED_MEDIA_TYPE', 'Send the body without a content encoding.', {
      headers: ['Accept-Encoding', 'identity'],
    })
  }
  const body = await readBody(x, maxBytes)
  if (!isUtf8(body)) throw new GatewayError('INVALID_BODY', 'The body is not valid UTF-8.')
  return body.toString()
}
