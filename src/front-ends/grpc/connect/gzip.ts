import { promisify } from 'node:util'
import { gzip as gzipWithCallback } from 'node:zlib'
import { GatewayError } from '../../../core/error.ts'
import { gunzipRequest } from '../gunzip-request.ts'

/** Smaller messages gain nothing; what clients of Connect compress from, too. Bytes. */
export const compressFromBytes = 1_024

/** Off the main thread. */
export const gzip: (bytes: Uint8Array | string) => Promise<Buffer> = promisify(gzipWithCallback)

/** Off the main thread; no bytes stay none. Rejects with BODY_TOO_LARGE as soon as there are more than `maxBytes`, INVALID_BODY for what is no gzip. */
export async function gunzip(bytes: Uint8Array, maxBytes: number): Promise<Buffer> {
  if (bytes.length === 0) return Buffer.alloc(0)
  return gunzipRequest(bytes, maxBytes, 'The message is said to be gzip, and is not.')
}

/**
 * Whether the named coding of a request is gzip; false for none. Throws NOT_IMPLEMENTED for others, with the ones that there are, as
 * Connect asks for.
 */
export function isGzip(coding: string | undefined): boolean {
  const name = coding?.trim().toLowerCase() ?? ''
  if (name === 'gzip') return true
  if (name === '' || name === 'identity') return false
  throw new GatewayError('NOT_IMPLEMENTED', 'This compression is not known; there are gzip and identity.')
}

/** Whether an `Accept-Encoding` takes gzip (RFC 9110 section 12.5.3). */
export function takesGzip(accepted: string | undefined): boolean {
  return accepted !== undefined && /(?:^|,)\s*gzip\s*(?:$|,|;(?!\s*q=0(?:\.0*)?\s*(?:$|,)))/i.test(accepted)
}
