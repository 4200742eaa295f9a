import { LatencyHistogram } from './latency-histogram.ts'

/**
 * How the calls of one side went since a step began. The rates are those of the latest calls, so that a version that fails after hours of
 * doing well is found out as soon as one that fails at once.
 */
export class Figures {
  /** Calls that succeeded or failed. */
  requests = 0
  failures = 0
  readonly #span: number
  #latest = new Window()
  #before = new Window()

  /** @param span the rates are of the latest `span` to `2 * span` calls. */
  constructor(span: number) {
    this.#span = span
  }

  succeeded(ms: number): void {
    this.#turn()
    this.requests++
    this.#latest.requests++
    this.#latest.times.observe(ms)
  }

  /** Its time says nothing: some fail at once, others by timeout. */
  failed(): void {
    this.#turn()
    this.requests++
    this.failures++
    this.#latest.requests++
    this.#latest.failures++
  }

  /** Failed calls among the latest, 0 to 1. */
  get errorRate(): number {
    const requests = this.#latest.requests + this.#before.requests
    return requests === 0 ? 0 : (this.#latest.failures + this.#before.failures) / requests
  }

  /** Of the latest calls that succeeded, to the head of the answer. */
  get times(): LatencyHistogram {
    const times = new LatencyHistogram()
    times.add(this.#latest.times)
    times.add(this.#before.times)
    return times
  }

  /** In milliseconds, of {@link times}; undefined when there are none. */
  get p95Ms(): number | undefined {
    return this.times.quantile(0.95)
  }

  #turn(): void {
    if (this.#latest.requests < this.#span) return
    this.#before = this.#latest
    this.#latest = new Window()
  }
}

class Window {
  requests = 0
  failures = 0
  readonly times = new LatencyHistogram()
}
