/** The first bytes of a client's body, kept so that they can be sent again: by another attempt, or to a mirror. */
export class KeptBody {
  readonly #maxBytes: number
  #bytes = 0
  /** Small pieces at the end, which were not joined yet. */
  #loose = 0
  chunks: Buffer[] = []
  /** Whether the body ends with these. */
  complete = false

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** One that was read to its end before. */
  static whole(body: Buffer): KeptBody {
    const kept = new KeptBody(body.length)
    kept.take(body)
    kept.complete = true
    return kept
  }

  /** False when there is no room: what was kept is of no use then. */
  take(chunk: Buffer): boolean {
    this.#bytes += chunk.length
    if (this.#bytes > this.#maxBytes) {
      this.chunks = []
      return false
    }
    this.chunks.push(chunk)
    if (chunk.length >= smallBytes) this.#loose = 0
    else if (++this.#loose === mostLoose) this.#join()
    return true
  }

  /** To hold a piece of one byte takes more room than a hundred bytes. */
  #join(): void {
    this.chunks.push(Buffer.concat(this.chunks.splice(-mostLoose)))
    this.#loose = 0
  }
}

const smallBytes = 1_024
const mostLoose = 64
