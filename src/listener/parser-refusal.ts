import { GatewayError } from '../core/error.ts'
import type { ServerLimits } from './server.ts'

/** What an error of Node's parser of HTTP/1.1 means, in the gateway's words; undefined when the client is not there to be told. */
export function parserRefusal(
  error: NodeJS.ErrnoException & { rawPacket?: Buffer; reason?: string },
  limits: Pick<ServerLimits, 'headerBytes' | 'urlBytes'>,
): GatewayError | undefined {
  const cause = { cause: error }
  switch (error.code) {
    case 'ECONNRESET':
    case 'EPIPE':
      return undefined
    case 'HPE_HEADER_OVERFLOW': {
      const firstLine = error.rawPacket?.indexOf('\r\n') ?? -1
      return firstLine === -1 || firstLine > limits.urlBytes
        ? new GatewayError(
            'URL_TOO_LONG',
            `The request target is longer than ${limits.urlBytes} bytes.`,
            cause,
          )
        : new GatewayError(
            'HEADERS_TOO_LARGE',
            `The headers are larger than ${limits.headerBytes} bytes.`,
            cause,
          )
    }
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new GatewayError('CLIENT_TOO_SLOW', 'The request head was not sent in time.', cause)
    case 'HPE_INVALID_VERSION':
      // The parser's word for a bare LF after the version, too.
      if (error.reason === 'Expected CRLF after version') break
      return new GatewayError(
        'HTTP_VERSION_REFUSED',
        'This HTTP version is not spoken here; use HTTP/1.1.',
        cause,
      )
  }
  return new GatewayError('MALFORMED_REQUEST', 'The request cannot be read as HTTP/1.1.', cause)
}
