import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { GatewayError } from '../../../core/error.ts'
import { tooLarge } from '../../body.ts'

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
  try {
    return await unpack(message, { maxOutputLength: maxBytes })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes)
    throw new GatewayError('INVALID_BODY', 'The message is marked as compressed, and is no gzip.', { cause })
  }
}

const unpack = promisify(gunzip)
