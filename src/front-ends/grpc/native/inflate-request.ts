import { GatewayError } from '../../../core/error.ts'
import { gunzipRequest } from '../gunzip-request.ts'

/**
 * A message of a request whose frame says that it is compressed; `encoding` is the request's `grpc-encoding`. At most `maxBytes` come of
 * it. Rejects with NOT_IMPLEMENTED for an encoding that is not known (gRPC compression.md: the answer says which are), INVALID_BODY for
 * one that was not named and for bytes that it cannot have made, BODY_TOO_LARGE.
 */
export async function inflateRequest(
  message: Uint8Array,
  encoding: string | undefined,
  maxBytes: number,
): Promise<Buffer> {
  if (encoding === undefined || encoding === 'identity') {
    throw new GatewayError(
      'INVALID_BODY',
      'The message is marked as compressed, and grpc-encoding does not say how.',
    )
  }
  if (encoding !== 'gzip') {
    throw new GatewayError('NOT_IMPLEMENTED', 'Messages are taken as they are, or compressed by gzip.', {
      headers: ['grpc-accept-encoding', 'identity,gzip'],
    })
  }
  return gunzipRequest(message, maxBytes, 'The message is marked as compressed, and is no gzip.')
}
