import type { StatusObject } from '@grpc/grpc-js'
import type { RpcEnd, RpcFailure } from './channel.ts'
import { flatMetadata } from './grpc-js-metadata.ts'

/**
 * How a call of grpc-js ended, and whether the backend said so. grpc-js does not tell; but a status that it makes up itself has no
 * metadata, and one from the wire has some or came after a head, but for the words that it has for an answer that broke off.
 * `reused`: there was a connection before the call.
 */
export function endOf(
  { code, details, metadata }: StatusObject,
  { answered, reused }: { readonly answered: boolean; readonly reused: boolean },
): RpcEnd {
  const trailers = flatMetadata(metadata)
  const fromBackend =
    code === 0 || (trailers.length > 0 ? !noGrpc.test(details) : answered && !madeUp.test(details))
  const end = { code, message: details, trailers, fromBackend }
  if (fromBackend) return { ...end, failure: undefined, reached: true, stale: false }
  const why = failureOf(code, details)
  return { ...end, ...why, stale: reused && !answered && connectionLost(why.failure, details) }
}

/** An answer that is HTTP but not gRPC. */
const noGrpc = /^(Received HTTP status code|No status information received)/

/** Words of grpc-js 1.14, subchannel-call.js, resolving-call.js and stream-decoder.js. */
const madeUp =
  /^(Received (RST_STREAM|HTTP status code|message (larger|that decompresses))|Connection dropped|Stream refused|Call cancelled|Cancelled on client|Deadline exceeded after|No status information|Bandwidth exhausted|(read|write) E)/

/** The connection went, not the call alone. */
function connectionLost(failure: RpcFailure, words: string): boolean {
  return failure === 'reset' && /Connection dropped|(read|write) E/.test(words)
}

/** What grpc-js says in prose only. This is the only place that reads it. */
function failureOf(code: number, words: string): { readonly failure: RpcFailure; readonly reached: boolean } {
  // The address is named once there is a connection for the call.
  if (code === 4) return { failure: 'deadline', reached: /remote_addr=/.test(words) }
  if (/^(Call cancelled|Cancelled on client)/.test(words)) return { failure: 'cancelled', reached: true }
  if (/^Attempted to send message with a size larger/.test(words))
    return { failure: 'requestTooLarge', reached: false }
  if (/^Received message (larger|that decompresses)/.test(words)) {
    return { failure: 'tooLarge', reached: true }
  }
  if (/Stream refused by server/.test(words)) return { failure: 'refusedStream', reached: false }
  if (/Name resolution failed|ENOTFOUND|EAI_AGAIN/.test(words)) return { failure: 'dns', reached: false }
  if (words.startsWith('No connection established')) return { failure: notConnected(words), reached: false }
  if (code === 1 || /^Received RST_STREAM|Connection dropped|(read|write) E|GOAWAY/.test(words)) {
    return { failure: 'reset', reached: true }
  }
  return { failure: 'protocol', reached: true }
}

function notConnected(words: string): RpcFailure {
  if (/certificate|self-signed|SSL|TLS|EPROTO|altnames/i.test(words)) return 'tls'
  return /ETIMEDOUT|timed out/i.test(words) ? 'connectTimeout' : 'refused'
}
