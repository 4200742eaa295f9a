import { GatewayError } from './error.ts'
import type { Exchange } from './exchange.ts'
import { essence, isJsonType } from './media-type.ts'

/**
 * Requires of a request to say that its body is JSON in UTF-8, as it stands. `suffix`: `application/problem+json` and the like will do. Throws UNSUPPORTED_MEDIA_TYPE.
 */
export function requireJsonBody(x: Exchange, { suffix = false }: { readonly suffix?: boolean } = {}): void {
  const contentType = x.header('content-type') ?? ''
  const type = essence(contentType)
  if (type !== 'application/json' && !(suffix && isJsonType(type))) {
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
}
