import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { HttpExchange } from './http-exchange.ts'
import { essence } from './media-type.ts'

/** Bytes that are sent as they are, in two codings. */
export interface SentFile {
  readonly contentType: string
  readonly plain: Buffer
  readonly gzipped: Buffer
  /** Strong, without quotes: the same for the same bytes, in every process. */
  readonly tag: string
}

/** A file of these bytes. */
export async function sentFile(contentType: string, plain: Buffer): Promise<SentFile> {
  const tag = createHash('sha256').update(plain).digest('base64url').slice(0, 22)
  return { contentType, plain, gzipped: await promisify(gzip)(plain, { level: 9 }), tag }
}

/** Answers with a file: gzipped where the client takes that, 304 where it has it. `headers` are flat. */
export function sendFile(x: HttpExchange, file: SentFile, headers: readonly string[]): void {
  if (x.gone || x.committed) return
  const zipped = takesGzip(x.header('accept-encoding'))
  const tag = `"${file.tag}${zipped ? '-gzip' : ''}"`
  const all = [...headers, 'ETag', tag]
  if (isKnownTag(x.header('if-none-match'), tag)) {
    x.answer(304, all, '')
    return
  }
  all.push('Content-Type', file.contentType)
  if (zipped) all.push('Content-Encoding', 'gzip')
  x.answer(200, all, zipped ? file.gzipped : file.plain)
}

/** RFC 9110 section 12.5.3: by name or by `*`, where it is not excluded. */
function takesGzip(acceptEncoding: string | undefined): boolean {
  if (acceptEncoding === undefined) return false
  const items = acceptEncoding.split(',', 32)
  const found = items.find((item) => essence(item) === 'gzip') ?? items.find((item) => essence(item) === '*')
  return found !== undefined && !/;\s*q=0(\.0*)?\s*$/i.test(found)
}

/** RFC 9110 section 13.1.2: weak comparison of any of the listed tags. */
function isKnownTag(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false
  return ifNoneMatch.split(',').some((item) => item.trim() === '*' || item.trim().replace(/^W\//, '') === tag)
}
