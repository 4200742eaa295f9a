import type { StatusObject } from '@grpc/grpc-js'
import type { RpcEnd } from './channel.ts'
import { flatMetadata } from './grpc-js-metadata.ts'

/**
 * How a call of grpc-js ended, and whether the backend said so. grpc-js does not tell; but a status that it makes up itself has no
 * metadata, and one from the wire has some or came after a head, but for the words that it has for an answer that broke off.
 */
export function endOf({ code, details, metadata }: StatusObject, answered: boolean): RpcEnd {
  const trailers = flatMetadata(metadata)
  const fromBackend =
    code === 0 || (trailers.length > 0 ? !noGrpc.test(details) : answered && !madeUp.test(details))
  return { code, message: details, trailers, fromBackend }
}

/** An answer that is HTTP but not gRPC. */
const noGrpc = /^(Received HTTP status code|No status information received)/

/** Words of grpc-js 1.14, subchannel-call.js, resolving-call.js and stream-decoder.js. */
const madeUp =
  /^(Received (RST_STREAM|HTTP status code|message larger)|Connection dropped|Stream refused|Call cancelled|Cancelled on client|Deadline exceeded after|No status information|Bandwidth exhausted|(read|write) E)/
