import { clientGone, GatewayError } from './error.ts'
import type { HttpExchange } from './http-exchange.ts'

/**
 * The whole request body. Rejects with BODY_TOO_LARGE as soon as the declared or the received length passes `maxBytes`, and with
 * CLIENT_GONE when the client leaves half-way.
 */
export function readBody(x: HttpExchange, maxBytes: number): Promise<Buffer> {
  if (!x.hasBody) return Promise.resolve(empty)
  if (x.contentLength !== undefined && x.contentLength > maxBytes) return Promise.reject(tooLarge(maxBytes))
  const { req, whole } = x
  if (whole !== undefined)
    return whole.length > maxBytes ? Promise.reject(tooLarge(maxBytes)) : Promise.resolve(whole)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      x.requestBytes = bytes
      if (bytes > maxBytes) {
        req.removeAllListeners('data')
        reject(tooLarge(maxBytes))
        return
      }
      chunks.push(chunk)
    })
    req.once('end', () => {
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, bytes))
    })
    req.once('error', (cause) => reject(clientGone(cause)))
    x.whenGone((stopped) => reject(stopped ?? clientGone()))
    x.acceptBody()
  })
}

/** Reads a small body that nobody wants, so that the connection can be kept. */
export async function readOff(x: HttpExchange): Promise<void> {
  if (x.contentLength !== undefined && x.contentLength <= readOffBytes) await readBody(x, readOffBytes)
}

/** The refusal of a body above a limit. */
export function tooLarge(maxBytes: number): GatewayError {
  return new GatewayError('BODY_TOO_LARGE', `The body is larger than ${maxBytes} bytes.`)
}

const readOffBytes = 65_536
const empty = Buffer.alloc(0)
