import { clientGone, GatewayError, toGatewayError } from '../../../core/error.ts'
import { type BufferedAnswer, bufferedTransport } from '../../../traffic/buffered-call.ts'
import { dispatchAnnounced } from '../../../traffic/dispatch.ts'
import type { SubgraphAnswer } from './subgraph-answer.ts'
import type { SubgraphCall } from './subgraph-call.ts'

/** What became of a fetch for those who wait for it; undefined: nothing that concerns them. */
type Outcome = { readonly answer: BufferedAnswer } | { readonly error: GatewayError } | undefined

/** A query that is under way. Most have nobody who waits for the outcome. */
class Flight {
  readonly leader: SubgraphCall
  #waitedFor: PromiseWithResolvers<Outcome> | undefined

  constructor(leader: SubgraphCall) {
    this.leader = leader
  }

  get outcome(): Promise<Outcome> {
    this.#waitedFor ??= Promise.withResolvers()
    return this.#waitedFor.promise
  }

  over(outcome: Outcome): void {
    this.#waitedFor?.resolve(outcome)
  }
}

/**
 * Sends identical queries that are under way at a time once. Identical is what is sent: upstream, path, body and every header, but those that name one
 * request among others. Each call keeps its own client and time: one that has no use any more leaves the others alone, and whoever was waiting for it
 * goes on by itself, the first to come being the next that the rest waits for.
 */
export class SharedFetches {
  readonly #ignored: ReadonlySet<string>
  readonly #flights = new Map<string, Flight>()

  /** `ignoredHeaders`: lower-case names of headers that no subgraph decides its answers by. */
  constructor(ignoredHeaders: readonly string[] = []) {
    this.#ignored = new Set([...requestNames, ...ignoredHeaders])
  }

  /** Sends a call that plugins have seen, or has the answer of one that is the same. Rejects as `dispatch` does. */
  send(call: SubgraphCall, body: string): Promise<SubgraphAnswer> {
    const key = this.#keyOf(call, body)
    return this.#flights.has(key) ? this.#follow(key, call) : this.#lead(key, call)
  }

  async #follow(key: string, call: SubgraphCall): Promise<SubgraphAnswer> {
    for (;;) {
      const flight = this.#flights.get(key)
      if (flight === undefined) return await this.#lead(key, call)
      const outcome = await joined(flight, call)
      if (outcome === undefined) continue
      if ('error' in outcome) throw outcome.error
      // Each reads for itself: what an operation gets, it may change.
      return call.read(outcome.answer)
    }
  }

  /** Nobody waits any more for what is under way now: a mutation has ended, and it may have been read before that. */
  forget(): void {
    this.#flights.clear()
  }

  async #lead(key: string, call: SubgraphCall): Promise<SubgraphAnswer> {
    const flight = new Flight(call)
    this.#flights.set(key, flight)
    try {
      const reply = await dispatchAnnounced<SubgraphCall, SubgraphAnswer>(call, bufferedTransport)
      flight.over(call.received && { answer: call.received })
      return reply
    } catch (thrown) {
      const error = toGatewayError(thrown)
      flight.over(isOwn(call, error) ? undefined : { error })
      throw error
    } finally {
      if (this.#flights.get(key) === flight) this.#flights.delete(key)
    }
  }

  #keyOf({ upstreamName, path, headers, maxAnswerBytes }: SubgraphCall, body: string): string {
    let key = `${upstreamName}\n${path}\n${maxAnswerBytes}\n`
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i] as string
      if (!this.#ignored.has(name)) key += `${name}:${headers[i + 1]}\n`
    }
    return `${key}\n${body}`
  }
}

/** Waits for the call of another, as long as this one's client and time last. */
function joined(flight: Flight, call: SubgraphCall): Promise<Outcome> {
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>()
  let isOver = false
  const over = (error: GatewayError | undefined): boolean => {
    if (isOver) return false
    isOver = true
    clearTimeout(timer)
    call.durationMs = performance.now() - call.startedAt
    call.error = error
    return true
  }
  const fail = (error: GatewayError): void => {
    if (over(error)) reject(error)
  }
  const timer = setTimeout(
    () =>
      fail(new GatewayError('UPSTREAM_TIMEOUT', `Upstream "${call.upstreamName}" did not answer in time.`)),
    timeLeft(call),
  )
  call.exchange.whenGone((stopped) => fail(stopped ?? clientGone()))
  void flight.outcome.then((came) => {
    if (!over(came !== undefined && 'error' in came ? came.error : undefined)) return
    call.shared = came !== undefined
    if (came !== undefined) call.target = flight.leader.target
    resolve(came)
  })
  return promise
}

/** Milliseconds; that of the longest timer where there is no limit, since the call of the other has one. */
function timeLeft(call: SubgraphCall): number {
  const { totalTimeoutMs } = call.upstream.options
  const total = totalTimeoutMs === 0 ? longestTimer : call.startedAt + totalTimeoutMs - performance.now()
  return Math.max(1, Math.min(call.remainingMs() || longestTimer, total))
}

const longestTimer = 2 ** 31 - 1

/** Whether a call failed for a reason that is not its upstream's: its client left, or its time was over, of which another may have more. */
function isOwn({ ended }: SubgraphCall, { reason }: GatewayError): boolean {
  return ended !== undefined || reason === 'UPSTREAM_TIMEOUT' || reason === 'DEADLINE_EXCEEDED'
}

/** Headers that are different for each request by nature. */
const requestNames = ['traceparent', 'tracestate', 'x-request-id', 'x-trace-id']
