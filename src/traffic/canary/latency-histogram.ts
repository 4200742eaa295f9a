/**
 * Times of calls in buckets that grow by a twelfth of a doubling each (6 %), from 0.1 ms to 100 s: a quantile is right within 3 %, in
 * the same small space whatever was observed.
 */
export class LatencyHistogram {
  /** Times that were observed. */
  count = 0
  readonly #buckets = new Uint32Array(bucketCount)

  observe(ms: number): void {
    const bucket = bucketOf(ms)
    this.#buckets[bucket] = (this.#buckets[bucket] as number) + 1
    this.count++
  }

  /** Adds what another one has observed. */
  add(other: LatencyHistogram): void {
    for (let i = 0; i < bucketCount; i++)
      this.#buckets[i] = (this.#buckets[i] as number) + (other.#buckets[i] as number)
    this.count += other.count
  }

  /** Milliseconds that so large a share (0 to 1) of the times was below; undefined when there are none. */
  quantile(share: number): number | undefined {
    if (this.count === 0) return undefined
    const rank = Math.max(1, Math.ceil(this.count * share))
    let below = 0
    let bucket = 0
    while (bucket < bucketCount - 1) {
      below += this.#buckets[bucket] as number
      if (below >= rank) break
      bucket++
    }
    return leastMs * 2 ** ((bucket + 0.5) / perDoubling)
  }

  /** Times that are certainly longer: those in the bucket of `ms` are not counted. */
  countAbove(ms: number): number {
    let above = 0
    for (let i = bucketOf(ms) + 1; i < bucketCount; i++) above += this.#buckets[i] as number
    return above
  }
}

const leastMs = 0.1
const perDoubling = 12
const bucketCount = 20 * perDoubling

function bucketOf(ms: number): number {
  if (ms <= leastMs) return 0
  return Math.min(bucketCount - 1, Math.floor(Math.log2(ms / leastMs) * perDoubling))
}
