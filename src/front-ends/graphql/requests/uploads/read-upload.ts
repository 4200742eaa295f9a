import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy'
import { clientGone, GatewayError } from '../../../../core/error.ts'
import type { HttpExchange } from '../../../../core/http-exchange.ts'
import { isRecord } from '../../../../core/is-record.ts'
import { tooLarge } from '../../../../core/request-body.ts'
import { invalidUpload } from './invalid-upload.ts'
import { placeUploads } from './place-uploads.ts'
import { type UploadLimits, Uploads } from './uploads.ts'

/** A request of which the files are still to come. */
export interface UploadRequest {
  /** The value of `operations`, with an upload wherever a file belongs. */
  readonly operations: Readonly<Record<string, unknown>>
  readonly uploads: Uploads
}

/** What {@link readUpload} is held to, and how it reads JSON. */
export interface UploadOptions {
  readonly limits: UploadLimits
  /** Of `operations`, and of `map`. */
  readonly fieldBytes: number
  readonly parse: (text: string, what: string) => unknown
}

/**
 * Reads a multipart request up to its first file (GraphQL multipart request specification): `operations`, `map`, files. Rejects with INVALID_BODY,
 * INVALID_ARGUMENT, BODY_TOO_LARGE, CLIENT_GONE.
 */
export function readUpload(x: HttpExchange, options: UploadOptions): Promise<UploadRequest> {
  const { limits, fieldBytes } = options
  // Heads of the parts, and what stands between them.
  const maxBytes = limits.bytes + 2 * fieldBytes + 1_000 * (limits.files + 4)
  if ((x.contentLength ?? 0) > maxBytes) return Promise.reject(tooLarge(maxBytes))
  return new Promise((resolve, reject) => {
    const form = new Form(x, options, resolve, reject)
    form.read(maxBytes)
  })
}

class Form {
  readonly #x: HttpExchange
  readonly #options: UploadOptions
  readonly #resolve: (request: UploadRequest) => void
  readonly #reject: (error: GatewayError) => void
  #operations: string | undefined
  #uploads: Uploads | undefined

  constructor(
    x: HttpExchange,
    options: UploadOptions,
    resolve: (request: UploadRequest) => void,
    reject: (error: GatewayError) => void,
  ) {
    this.#x = x
    this.#options = options
    this.#resolve = resolve
    this.#reject = reject
  }

  read(maxBytes: number): void {
    const { req } = this.#x
    const parser = this.#parser()
    if (parser === undefined) return
    let bytes = 0
    const fail = (error: GatewayError): void => {
      req.unpipe(parser)
      this.#fail(error)
    }
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      this.#x.requestBytes = bytes
      if (bytes > maxBytes) fail(tooLarge(maxBytes))
    })
    parser.on('error', (cause: Error) => {
      fail(new GatewayError('INVALID_BODY', 'The body is not valid multipart/form-data.', { cause }))
    })
    req.once('error', (cause) => fail(gone(cause)))
    this.#x.whenGone((stopped) => fail(stopped ?? gone()))
    this.#x.acceptBody()
    req.pipe(parser)
  }

  #parser(): BusboyInstance | undefined {
    const { limits, fieldBytes } = this.#options
    const headers = { 'content-type': this.#x.header('content-type') ?? '' }
    const most = {
      fieldSize: fieldBytes,
      fields: 3,
      parts: limits.files + 3,
      headerPairs: 20,
      headerSize: 8_192,
    }
    try {
      const parser = new Busboy({ headers, limits: most })
      parser.on('field', (name, text, _, isCut) => this.#field(name, { text, isCut }))
      parser.on('file', (name, stream, fileName, _, contentType) =>
        this.#file(name, stream, { fileName, contentType }),
      )
      parser.on('partsLimit', () =>
        this.#fail(invalidUpload(`The request has more than ${limits.files} files.`)),
      )
      parser.on('fieldsLimit', () => this.#fail(unknownField()))
      parser.on('finish', () => this.#end())
      return parser
    } catch (cause) {
      this.#fail(new GatewayError('INVALID_BODY', 'The multipart body has no boundary.', { cause }))
      return undefined
    }
  }

  #field(name: string, { text, isCut }: { readonly text: string; readonly isCut: boolean }): void {
    try {
      if (isCut) throw tooLarge(this.#options.fieldBytes)
      // What the parser of the form puts where bytes are no UTF-8; JSON can write it as an escape.
      if (text.includes('\uFFFD'))
        throw new GatewayError(
          'INVALID_BODY',
          'A field of the form is not valid UTF-8, or has U+FFFD unescaped.',
        )
      if (this.#operations === undefined && name === 'operations') {
        this.#operations = text
        return
      }
      if (this.#operations === undefined || this.#uploads !== undefined || name !== 'map')
        throw unknownField()
      const operations = this.#options.parse(this.#operations, '"operations"')
      if (!isRecord(operations)) throw invalidUpload('"operations" must be one operation, as a JSON object.')
      const { limits } = this.#options
      this.#uploads = new Uploads(
        placeUploads(operations, this.#options.parse(text, '"map"'), limits.files),
        limits,
      )
      // From here on it sends as fast as subgraphs take it, and a fetch has its own limit of time.
      this.#x.mayPause = true
      this.#resolve({ operations, uploads: this.#uploads })
    } catch (error) {
      this.#fail(error as GatewayError)
    }
  }

  #file(
    name: string,
    stream: BusboyFileStream,
    { fileName, contentType }: { readonly fileName: string | undefined; readonly contentType: string },
  ): void {
    if (this.#uploads !== undefined) {
      this.#uploads.arrive(name, { stream, fileName, contentType })
      return
    }
    stream.on('error', () => {}).resume()
    this.#fail(unknownField())
  }

  #end(): void {
    if (this.#uploads === undefined) this.#fail(invalidUpload('"operations" or "map" is missing.'))
    else this.#uploads.end()
  }

  #fail(error: GatewayError): void {
    this.#uploads?.fail(error)
    this.#reject(error)
  }
}

function unknownField(): GatewayError {
  return invalidUpload('A multipart request has "operations", then "map", then files, and nothing else.')
}

function gone(cause?: Error): GatewayError {
  return clientGone(cause)
}
