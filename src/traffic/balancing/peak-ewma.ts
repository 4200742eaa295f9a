import type { Balanced } from './balancer.ts'
import { load } from './load.ts'

/** Weight of a sample falls to 1/e in this time (Finagle's default). */
const decayMs = 10_000
/** After this long without a sample nothing is known any more. */
const forgetMs = 3 * decayMs
/** What a target that nothing is known of is taken to need while an attempt is on it: more than any that is known. */
const unknownMs = 1e9

/**
 * Peak-sensitive moving average of how long a target takes to the head of an answer, as in Finagle: a slower sample counts at
 * once and in full, faster ones bring it down slowly.
 */
export class PeakEwma {
  #ms = 0
  #at = Number.NEGATIVE_INFINITY

  /**
   * `ms` from sending to the head of the answer; for an attempt that timed out, the time until then. Quick refusals are the
   * business of health checks: as samples they would make a broken target look fast. `now`: `performance.now()`.
   */
  observe(ms: number, now: number): void {
    const known = this.value(now) !== undefined
    const kept = Math.exp(-(now - this.#at) / decayMs)
    this.#ms = known && ms < this.#ms ? this.#ms * kept + ms * (1 - kept) : ms
    this.#at = now
  }

  /**
   * Milliseconds, sinking while no sample comes so that a slow target is tried again; undefined before the first sample and 30
   * seconds after the last, because what has sunk for longer would promise more than anyone measured.
   */
  value(now: number): number | undefined {
    const age = now - this.#at
    return age < forgetMs ? this.#ms * Math.exp(-age / decayMs) : undefined
  }
}

/**
 * Cost of one more attempt: latency times attempts per weight. A target that nothing is known of costs nothing while it is idle,
 * and more than every known one as soon as an attempt is on it: it is tried at once, but by one attempt at a time.
 */
export function expectedWait(target: Balanced, now: number): number {
  const ms = target.latency.value(now)
  if (ms !== undefined) return ms * load(target)
  return target.active === 0 ? 0 : unknownMs * load(target)
}
