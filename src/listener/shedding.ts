import type { Logger } from '../core/log.ts'

/** What the gateway may have too little of. */
export type Shortage = 'event_loop' | 'heap'

/** Counts the requests that are refused for one reason; says in the log when that begins, and when it has ended. */
export class Shedding {
  /** Since the start. */
  total = 0
  /** Whether requests are being refused. */
  isOn = false
  readonly #reason: Shortage
  readonly #log: Logger
  #before = 0
  #quietSamples = 0

  constructor(reason: Shortage, log: Logger) {
    this.#reason = reason
    this.#log = log
  }

  /** A request is refused. */
  count(): void {
    this.total++
    this.#quietSamples = 0
    if (this.isOn) return
    this.isOn = true
    this.#before = this.total - 1
    this.#log.warn({ reason: this.#reason }, 'overloaded: new requests are refused')
  }

  /** Called with each sample of the load: it is over when nothing was refused for a while. */
  tick(): void {
    if (!this.isOn || ++this.#quietSamples < quietSamples) return
    this.isOn = false
    this.#log.warn({ reason: this.#reason, refused: this.total - this.#before }, 'no longer overloaded')
  }
}

/** Two seconds, so that an overload that comes and goes fills no log. */
const quietSamples = 100
