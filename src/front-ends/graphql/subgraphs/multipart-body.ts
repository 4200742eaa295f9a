import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { tooLarge } from '../../../core/request-body.ts'
import type { Upload } from '../requests/uploads/upload.ts'
import type { UploadClaim, UploadLimits } from '../requests/uploads/uploads.ts'

/** A GraphQL request with files as it is sent on (GraphQL multipart request specification). */
export interface MultipartBody {
  readonly contentType: string
  /** Reads from the client as fast as it is read. */
  readonly stream: Readable
}

/** @param operations the request as JSON, null where a file belongs. */
export function multipartBody(operations: string, claim: UploadClaim, limits: UploadLimits): MultipartBody {
  const boundary = `trivium-${randomUUID()}`
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    stream: Readable.from(partsOf(operations, claim, { boundary, limits }), { objectMode: false }),
  }
}

async function* partsOf(
  operations: string,
  claim: UploadClaim,
  { boundary, limits }: { readonly boundary: string; readonly limits: UploadLimits },
): AsyncGenerator<Buffer> {
  const map = Object.fromEntries(claim.files.map(({ upload, paths }) => [upload.name, paths]))
  yield Buffer.from(
    `--${boundary}\r\ncontent-disposition: form-data; name="operations"\r\n\r\n${operations}\r\n` +
      `--${boundary}\r\ncontent-disposition: form-data; name="map"\r\n\r\n${JSON.stringify(map)}\r\n`,
  )
  for (let upload = await claim.next(); upload !== undefined; upload = await claim.next()) {
    yield Buffer.from(`--${boundary}\r\n${headOf(upload)}\r\n`)
    yield* contentOf(upload, claim, limits)
    yield Buffer.from('\r\n')
  }
  yield Buffer.from(`--${boundary}--\r\n`)
}

async function* contentOf(upload: Upload, claim: UploadClaim, limits: UploadLimits): AsyncGenerator<Buffer> {
  const { stream } = upload.arrived ?? {}
  if (stream === undefined) return
  let bytes = 0
  // Destroyed, it would not let the parts behind it come.
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    bytes += (chunk as Buffer).length
    if (bytes > limits.fileBytes) {
      const error = tooLarge(limits.fileBytes)
      claim.abandon(error)
      throw error
    }
    yield chunk as Buffer
  }
}

/** Names are for people and end a part early when they can: only what is harmless between quotes goes on (RFC 7578 section 4.2). */
function headOf({ name, arrived }: Upload): string {
  const fileName = quotable(arrived?.fileName ?? name)
  const contentType = /^[\w.+-]+\/[\w.+-]+$/.test(arrived?.contentType ?? '')
    ? arrived?.contentType
    : 'application/octet-stream'
  return `content-disposition: form-data; name="${quotable(name)}"; filename="${fileName}"\r\ncontent-type: ${contentType}\r\n`
}

function quotable(text: string): string {
  return text
    .replaceAll(/\p{Cc}/gu, '')
    .replaceAll('"', '%22')
    .replaceAll('\\', '%5C')
    .slice(0, 255)
}
