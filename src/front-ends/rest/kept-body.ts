/** The first bytes of a client's body, kept so that another attempt can send them again. */
export class KeptBody {
  readonly #maxBytes: number
  #bytes = 0
  chunks: Buffer[] = []
  /** Whether the body ends with these. */
  complete = false

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** False when there is no room: what was kept is of no use then. */
  take(chunk: Buffer): boolean {
    this.#bytes += chunk.length
    if (this.#bytes > this.#maxBytes) {
      this.chunks = []
      return false
    }
    this.chunks.push(chunk)
    return true
  }
}
