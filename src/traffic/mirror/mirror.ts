import { GatewayError } from '../../core/error.ts'
import type { Logger } from '../../core/log.ts'
import type { Call, Transport } from '../call.ts'
import { Destination } from '../destination.ts'
import type { Upstream } from '../upstream.ts'
import { Copy } from './copy.ts'
import { SparseLog } from './sparse-log.ts'

/** Which calls of a place are copied to another upstream, and how much that may take; durations in milliseconds. */
export interface MirrorOptions {
  /** Whose calls they are; see {@link Destination.place}. */
  readonly place: string
  readonly upstream: Upstream
  /** Share of the calls, 0 to 100. */
  readonly percent: number
  /** Requests with a larger body are not copied. */
  readonly maxBodyBytes: number
  /** Copies at a time. */
  readonly maxInFlight: number
  /** For one copy, to the last byte of its answer. */
  readonly timeoutMs: number
  /** Whether its answers are compared with the original ones. */
  readonly compare: boolean
  readonly counts: MirrorCounts
  readonly log: Logger
  /** At least 0, less than 1. Default: `Math.random`. */
  readonly random?: () => number
}

/**
 * How each copy ended. `sent`: answered, whatever the answer was, and not compared; `same`, `different`: compared; `failed`: not answered;
 * `skipped`: there were too many at a time, the body was too large or not whole, or an event stream was asked for.
 */
export type MirrorResult = 'sent' | 'same' | 'different' | 'failed' | 'skipped'

export type MirrorCounts = Readonly<Record<MirrorResult, { value: number }>>

/** How long copies that are under way may go on when a configuration ends. */
const graceMs = 1_000

/** Copies a share of the calls of one place to another upstream, whose answers are dropped. Nothing of it reaches the client. */
export class Mirror {
  readonly options: MirrorOptions
  /** Where copies go. */
  readonly destination: Destination
  readonly log: SparseLog
  readonly #random: () => number
  /** Those that were sent. */
  readonly #running = new Set<Call>()
  /** Also those that wait for a body. */
  #inFlight = 0
  #closed = false
  #onIdle: (() => void) | undefined

  constructor(options: MirrorOptions) {
    const { place, upstream, log, random = Math.random } = options
    this.options = options
    this.destination = new Destination(`mirror of ${place}`, upstream)
    this.log = new SparseLog(log)
    this.#random = random
  }

  get inFlight(): number {
    return this.#inFlight
  }

  /** Told by `dispatch` of each call that is about to be sent for the first time. What the other upstream serves already is not copied. */
  take<C extends Call>(call: C, transport: Transport<C, unknown>): void {
    const { upstream, percent, maxInFlight } = this.options
    if (transport.mirror === undefined || call.streamed || call.upstream === upstream) return
    if (this.#random() * 100 >= percent) return
    if (this.#inFlight >= maxInFlight || this.#closed) {
      this.count('skipped')
      return
    }
    this.#inFlight++
    const copy = new Copy(this, call)
    call.copy = copy
    transport.mirror(call, copy)
  }

  /** A copy is sent. Throws when the configuration has ended. */
  began(call: Call): void {
    if (this.#closed) throw ended()
    this.#running.add(call)
  }

  /** What was sent is answered or has failed. */
  finished(call: Call): void {
    this.#running.delete(call)
  }

  /** A copy is over, or was given up. */
  free(): void {
    if (--this.#inFlight === 0) this.#onIdle?.()
  }

  count(result: MirrorResult): void {
    this.options.counts[result].value++
  }

  /** Takes no more calls; resolves when the copies that are under way are over, which are broken off after a second. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#inFlight === 0) return
    const timer = setTimeout(() => {
      for (const call of this.#running) call.end(ended())
    }, graceMs)
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve
    })
    clearTimeout(timer)
  }
}

function ended(): GatewayError {
  return new GatewayError('DRAINING', 'The configuration of the mirror has ended.')
}
