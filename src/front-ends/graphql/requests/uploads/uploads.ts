import type { GatewayError } from '../../../../core/error.ts'
import { invalidUpload } from './invalid-upload.ts'
import type { ArrivedFile, Upload } from './upload.ts'

/** What {@link Uploads} is held to. */
export interface UploadLimits {
  /** Of one request. */
  readonly files: number
  /** Of one file. */
  readonly fileBytes: number
  /** Of all files together. */
  readonly bytes: number
  /** How long a fetch may take that carries files. */
  readonly timeoutMs: number
}

/**
 * The files of a request. They come one after the other, as fast as the subgraphs take them: what a fetch has not asked for when another one waits for a
 * later file is dropped.
 */
export class Uploads {
  readonly limits: UploadLimits
  readonly #all: ReadonlyMap<string, Upload>
  readonly #claims = new Set<UploadClaim>()
  #failure: GatewayError | undefined
  #isWhole = false

  constructor(uploads: readonly Upload[], limits: UploadLimits) {
    this.#all = new Map(uploads.map((upload) => [upload.name, upload]))
    this.limits = limits
  }

  /** Why the files cannot be read to their end. */
  get failure(): GatewayError | undefined {
    return this.#failure
  }

  /**
   * Takes the files in these variables for one fetch; undefined: they have none. Throws INVALID_ARGUMENT for one that was sent to another subgraph, or is
   * gone.
   */
  claim(variables: Readonly<Record<string, unknown>>): UploadClaim | undefined {
    const wanted = [...this.#all.values()].filter((upload) =>
      upload.paths.some((path) => isIn(path, variables)),
    )
    if (wanted.length === 0) return undefined
    for (const { name, isTaken, isMissed } of wanted) {
      if (isTaken)
        throw invalidUpload(`File "${name}" is asked for by two subgraphs, and can be sent to one.`)
      if (isMissed)
        throw invalidUpload(
          `File "${name}" came before it was used. Send files in the order in which they are used.`,
        )
    }
    const claim = new UploadClaim(wanted, { variables, uploads: this })
    this.#claims.add(claim)
    if (this.#failure !== undefined) claim.fail(this.#failure)
    // Fetches that begin at the same time take what is theirs first.
    else setImmediate(() => this.moveOn())
    return claim
  }

  /** Told when the part of a file begins. */
  arrive(name: string, file: ArrivedFile): void {
    file.stream.on('error', ignore)
    const upload = this.#all.get(name)
    if (upload === undefined || upload.arrived !== undefined) {
      file.stream.resume()
      const problem = upload === undefined ? 'is not in "map"' : 'is there twice'
      this.fail(invalidUpload(`File ${JSON.stringify(String(name).slice(0, 100))} ${problem}.`))
      return
    }
    upload.arrive(file)
    if (upload.isMissed) upload.drop()
    this.moveOn()
  }

  /** Told when the whole body was read. */
  end(): void {
    this.#isWhole = true
    this.moveOn()
  }

  /** Nothing more will come. */
  fail(error: GatewayError): void {
    if (this.#failure !== undefined) return
    this.#failure = error
    for (const claim of this.#claims) claim.fail(error)
  }

  /** Lets the next file come, when somebody waits for it. */
  moveOn(): void {
    const waiting = [...this.#claims].filter((claim) => !claim.advance())
    if (waiting.length === 0) return
    if (this.#isWhole) this.fail(invalidUpload('A file of "map" is missing.'))
    for (const upload of this.#all.values())
      if (upload.arrived !== undefined && !upload.isTaken && !upload.isMissed) upload.drop()
  }

  /** The operation is over: what nobody asked for is read and forgotten. */
  close(): void {
    for (const upload of this.#all.values()) upload.drop()
  }

  /** Told when a fetch is over. */
  release(claim: UploadClaim): void {
    this.#claims.delete(claim)
    this.moveOn()
  }
}

/** The files that one fetch sends on. */
export class UploadClaim {
  /** For `map`: where each file is in the variables of the fetch. */
  readonly files: readonly { readonly upload: Upload; readonly paths: readonly string[] }[]
  /** Told when they cannot be sent to their end. */
  onFail: ((error: GatewayError) => void) | undefined
  readonly #uploads: Uploads
  readonly #left: Set<Upload>
  #next: PromiseWithResolvers<Upload> | undefined
  #failure: GatewayError | undefined

  constructor(
    wanted: readonly Upload[],
    {
      variables,
      uploads,
    }: { readonly variables: Readonly<Record<string, unknown>>; readonly uploads: Uploads },
  ) {
    this.files = wanted.map((upload) => ({
      upload,
      paths: upload.paths.filter((path) => isIn(path, variables)),
    }))
    this.#uploads = uploads
    this.#left = new Set(wanted)
    for (const upload of wanted) upload.isTaken = true
  }

  /** The next file that arrives; undefined after the last. */
  async next(): Promise<Upload | undefined> {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#left.size === 0) return undefined
    const next = Promise.withResolvers<Upload>()
    this.#next = next
    this.#uploads.moveOn()
    return next.promise
  }

  /** Hands the next file out if it is there. False: it is waited for. */
  advance(): boolean {
    if (this.#next === undefined) return true
    for (const upload of this.#left) {
      if (upload.arrived === undefined) continue
      this.#left.delete(upload)
      this.#next.resolve(upload)
      this.#next = undefined
      return true
    }
    return false
  }

  fail(error: GatewayError): void {
    this.#failure = error
    this.onFail?.(error)
    this.#next?.reject(error)
    this.#next = undefined
  }

  /** One of its files is not to be read to its end: so is none of the others. */
  abandon(error: GatewayError): void {
    this.#uploads.fail(error)
  }

  /** The fetch is over: files that it did not read are dropped. */
  release(): void {
    for (const { upload } of this.files) upload.drop()
    this.#next = undefined
    this.#uploads.release(this)
  }
}

function isIn(path: string, variables: Readonly<Record<string, unknown>>): boolean {
  return Object.hasOwn(variables, path.split('.', 2)[1] ?? '')
}

function ignore(): void {}
