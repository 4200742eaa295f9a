import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { GatewayError } from '../../core/error.ts'
import { tooLarge } from '../../core/request-body.ts'

const unpack = promisify(gunzip)

/**
 * A part of a request that was compressed with gzip, as it was before; off the main thread. Rejects with BODY_TOO_LARGE as soon as there
 * are more than `maxBytes`, and with INVALID_BODY, saying `noGzip`, for bytes that gzip cannot have made.
 */
export async function gunzipRequest(bytes: Uint8Array, maxBytes: number, noGzip: string): Promise<Buffer> {
  try {
    return await unpack(bytes, { maxOutputLength: maxBytes })
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE')
      throw tooLarge(maxBytes)
    throw new GatewayError('INVALID_BODY', noGzip, { cause })
  }
}
