import { createHash, type Hash } from 'node:crypto'

/** Of a longer body only the beginning is compared. */
export const maxComparedBytes = 1_048_576

/** What is remembered of an answer to compare it with another one: its status, how long it was, and a hash of its body. */
export class AnswerDigest {
  /** Of HTTP, or of gRPC. */
  status = 0
  /** Of the body, up to {@link maxComparedBytes}. */
  bytes = 0
  /** Whether the answer was there to its end. */
  complete = false
  #hash: Hash | undefined

  /** The head of an answer is there; what was remembered of another one is forgotten. */
  begin(status: number): void {
    this.status = status
    this.bytes = 0
    this.complete = false
    this.#hash = undefined
  }

  /** The next piece of the body. */
  update(chunk: Uint8Array): void {
    const room = maxComparedBytes - this.bytes
    if (room <= 0 || chunk.length === 0) return
    const counted = chunk.length > room ? chunk.subarray(0, room) : chunk
    this.bytes += counted.length
    this.#hash ??= createHash('sha256')
    this.#hash.update(counted)
  }

  /** The whole answer at once. */
  whole(status: number, body: Uint8Array): void {
    this.begin(status)
    this.update(body)
    this.complete = true
  }

  /** What is different in another answer, the first of the two; undefined: nothing. Both are asked only once. */
  differenceTo(other: AnswerDigest): 'status' | 'body' | undefined {
    if (this.status !== other.status) return 'status'
    return this.bytes === other.bytes && this.#sum() === other.#sum() ? undefined : 'body'
  }

  #sum(): string | undefined {
    return this.#hash?.digest('hex')
  }
}
