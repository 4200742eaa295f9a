import type { GatewayError } from '../core/error.ts'
import type { HttpExchange } from '../core/http-exchange.ts'
import type { Overload } from './overload.ts'

/**
 * Lets requests begin: as they come, while the event loop is quick. When it is slow they wait, in order, and only as many begin in each turn
 * as keep it short: so answers, timers and new connections (Node accepts one in a turn) have theirs. A request that has waited for too long
 * is refused before anything is done for it. Without that, all wait for longer and longer, until clients have given up on what is worked on.
 */
export class Admission {
  readonly #overload: Overload
  readonly #begin: (x: HttpExchange) => void
  readonly #now: () => number
  /** Those whose turn it is, from {@link #next} on, and those who came later. */
  #waiting: Waiting[] = []
  #later: Waiting[] = []
  #next = 0
  #isScheduled = false
  /** How many began in the last turn, and may in the next. */
  #begun = 0
  #most = Number.POSITIVE_INFINITY
  #turnAt = 0
  /** Milliseconds that there was something to wait for, of each turn so much at the most as one pause counts. */
  #clockMs = 0

  /**
   * @param begin called once for each exchange that is not refused, unless its client has left.
   * @param now the clock of `request.startedAt`.
   */
  constructor(
    overload: Overload,
    { begin, now }: { readonly begin: (x: HttpExchange) => void; readonly now: () => number },
  ) {
    this.#overload = overload
    this.#begin = begin
    this.#now = now
  }

  enter(x: HttpExchange): void {
    if (this.#isScheduled || this.#overload.isSlow(x.request.startedAt)) this.#wait(x)
    else this.#decide(x, 0)
  }

  #wait(x: HttpExchange): void {
    this.#later.push({ x, sinceMs: this.#clockMs })
    if (this.#isScheduled) return
    this.#isScheduled = true
    const now = this.#now()
    if (now - this.#turnAt > forgetMs) this.#most = Number.POSITIVE_INFINITY
    this.#begun = 0
    this.#turnAt = now
    setImmediate(this.#turn)
  }

  readonly #turn = (): void => {
    const began = this.#now()
    const lastedMs = began - this.#turnAt
    this.#adapt(lastedMs)
    this.#clockMs += Math.min(lastedMs, this.#overload.pauseMs)
    this.#turnAt = began
    this.#begun = 0
    try {
      this.#beginSome(began)
    } finally {
      if (this.#isScheduled) setImmediate(this.#turn)
    }
  }

  #beginSome(began: number): void {
    for (let now = began; now - began < turnMs && this.#begun < this.#most; now = this.#now()) {
      const next = this.#take()
      if (next === undefined) {
        this.#isScheduled = false
        return
      }
      if (!next.x.gone) this.#decide(next.x, this.#clockMs - next.sinceMs)
    }
  }

  /** Fewer, when a turn with what came of those before has lasted for too long. */
  #adapt(lastedMs: number): void {
    const begun = Math.max(1, this.#begun)
    if (lastedMs > 2 * turnMs)
      this.#most = Math.max(1, Math.floor(begun * Math.max(0.25, (2 * turnMs) / lastedMs)))
    else if (this.#begun >= this.#most) this.#most = Math.ceil(this.#most * 1.25)
  }

  #decide(x: HttpExchange, waitedMs: number): void {
    const refusal = this.#overload.refusal(waitedMs)
    if (refusal !== undefined) refuse(x, refusal)
    else {
      this.#begun++
      this.#begin(x)
    }
  }

  #take(): Waiting | undefined {
    if (this.#next === this.#waiting.length) {
      const done = this.#waiting
      done.length = 0
      this.#waiting = this.#later
      this.#later = done
      this.#next = 0
    }
    return this.#next < this.#waiting.length ? this.#waiting[this.#next++] : undefined
  }
}

interface Waiting {
  readonly x: HttpExchange
  /** What the clock of the queue showed when it came. */
  readonly sinceMs: number
}

/** Whoever answers before the body is there has to end the connection, and clients that connect anew are load, too: small ones come with their head. */
function refuse(x: HttpExchange, refusal: GatewayError): void {
  if (x.hasBody) setImmediate(() => x.fail(refusal))
  else x.fail(refusal)
}

/** What was learnt of the cost of requests is forgotten when none has waited for so long. */
const forgetMs = 1_000
/** So long requests may begin in one turn, which may last twice as long. */
const turnMs = 20
