import { GatewayError } from '../../../core/error.ts'
import type { HttpExchange } from '../../../core/http-exchange.ts'
import { readBody } from '../../../core/request-body.ts'
import type { RpcSource } from '../rpc-transport.ts'
import { RequestStream } from '../streaming/request-stream.ts'
import type { ConnectCodec } from './connect-codec.ts'
import { type ConnectFormat, isConnectGet } from './connect-format.ts'
import { EnvelopeSplitter, envelopeHeadBytes } from './envelope-splitter.ts'
import { gunzip, isGzip } from './gzip.ts'
import { queryMessage } from './query-message.ts'

/** What reading a request needs. */
export interface ReadOptions {
  readonly format: ConnectFormat
  readonly codec: ConnectCodec
  /** Of one message, compressed or not. */
  readonly maxBytes: number
}

/** The message of a unary call. Rejects with what is wrong with it. */
export async function readUnary(
  x: HttpExchange,
  { format, codec, maxBytes }: ReadOptions,
): Promise<Uint8Array> {
  if (isConnectGet(x)) return codec.request(await queryMessage(x.request.query, maxBytes), format)
  const compressed = isGzip(x.header('content-encoding'))
  const body = await readBody(x, maxBytes)
  return codec.request(compressed ? await gunzip(body, maxBytes) : body, format)
}

/** The one message of a call whose answer is a stream. */
export async function readSingle(
  x: HttpExchange,
  { format, codec, maxBytes }: ReadOptions,
): Promise<Uint8Array> {
  const coded = isGzip(x.header('connect-content-encoding'))
  const splitter = new EnvelopeSplitter(maxBytes)
  let message: Buffer | undefined
  let compressed = false
  for (const found of splitter.push(await readBody(x, maxBytes + envelopeHeadBytes))) {
    if (message !== undefined) throw notOne()
    message = found
    compressed = splitter.compressed
  }
  splitter.finish()
  if (message === undefined) throw notOne()
  if (!compressed) return codec.request(message, format)
  requireCoding(coded)
  return codec.request(await gunzip(message, maxBytes), format)
}

/** The messages of a call that takes a stream, read no faster than the backend does. */
export function openSource(x: HttpExchange, { format, codec, maxBytes }: ReadOptions): RpcSource {
  const coded = isGzip(x.header('connect-content-encoding'))
  const splitter = new EnvelopeSplitter(maxBytes)
  const bind = (message: Buffer): Uint8Array | Promise<Uint8Array> => {
    // What the splitter gives is its own, and is kept here until it is sent.
    if (!splitter.compressed)
      return codec.request(format.codec === 'proto' ? Buffer.from(message) : message, format)
    requireCoding(coded)
    return gunzip(message, maxBytes).then((bytes) => codec.request(bytes, format))
  }
  return new RequestStream(x, bind, splitter)
}

function notOne(): GatewayError {
  return new GatewayError('INVALID_BODY', 'The request is not exactly one message.')
}

function requireCoding(coded: boolean): void {
  if (!coded)
    throw new GatewayError(
      'INVALID_BODY',
      'The message is compressed, and Connect-Content-Encoding does not say how.',
    )
}
