import type { Readable } from 'node:stream'

/** A file of a multipart request: in the variables it stands where the file belongs, and is written as null there. */
export class Upload {
  /** Its name in the request: `0`. */
  readonly name: string
  /** Where it belongs, as the client wrote it: `variables.input.image`. */
  readonly paths: readonly string[]
  /** Whether somebody asked for it: it can be sent on once. */
  isTaken = false
  /** Whether it was dropped before anybody asked for it. */
  isMissed = false
  #arrived: ArrivedFile | undefined

  constructor(name: string, paths: readonly string[]) {
    this.name = name
    this.paths = paths
  }

  /** Undefined while its part of the body is not there. */
  get arrived(): ArrivedFile | undefined {
    return this.#arrived
  }

  arrive(file: ArrivedFile): void {
    this.#arrived = file
  }

  /** Nobody wants it: what is left of it is read and forgotten. */
  drop(): void {
    this.isMissed = true
    this.#arrived?.stream.resume()
  }

  toJSON(): null {
    return null
  }
}

/** A file of which the head is there. */
export interface ArrivedFile {
  readonly stream: Readable
  /** As the client called it; undefined: it did not. */
  readonly fileName: string | undefined
  readonly contentType: string
}
