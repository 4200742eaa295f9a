import { createHash } from 'node:crypto'

/** What stands for these bytes in an ETag, without quotes: strong (RFC 9110 section 8.8.3), and the same in every process. */
export function contentTag(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('base64url').slice(0, 22)
}
