import { GatewayError } from '../../../core/error.ts'
import type { HttpExchange } from '../../../core/http-exchange.ts'
import type { NativeAnswer } from '../native/native-answer.ts'
import type { GatewayHealth } from './gateway-health.ts'
import { encodeHealthResponse, type ServingStatus, servingStatus } from './health-messages.ts'

/** How soon a change is told. */
const lookEveryMs = 250
/** Anybody may watch, and each watch is held for as long as its client likes. */
const maxWatches = 1_000

interface Watch {
  readonly x: HttpExchange
  readonly answer: NativeAnswer
  readonly service: string
  told: ServingStatus
}

/**
 * The open calls of `Watch`. Each is told the status at once and every other status that follows; it ends, for its client to watch again,
 * when the gateway drains or another configuration takes its place.
 */
export class HealthWatches {
  readonly #health: GatewayHealth
  readonly #watches = new Set<Watch>()
  #timer: NodeJS.Timeout | undefined
  #retired = false

  constructor(health: GatewayHealth) {
    this.#health = health
  }

  /** Throws OVERLOADED when there are too many. */
  add(x: HttpExchange, answer: NativeAnswer, service: string): void {
    if (this.#watches.size >= maxWatches) throw new GatewayError('OVERLOADED', 'There are too many watches.')
    const told = this.#statusOf(service)
    const watch: Watch = { x, answer, service, told }
    this.#watches.add(watch)
    x.res.once('close', () => this.#remove(watch))
    answer.message(encodeHealthResponse(told), [])
    this.#timer ??= setInterval(() => this.#look(), lookEveryMs).unref()
    if (this.#retired) this.#look()
  }

  /** Another configuration takes requests from now on. */
  retire(): void {
    this.#retired = true
    this.#look()
  }

  #look(): void {
    for (const watch of this.#watches) {
      const now = this.#statusOf(watch.service)
      // A client that does not read is told of the last change only, once it does.
      if (now !== watch.told && !watch.x.res.writableNeedDrain) {
        watch.told = now
        watch.answer.message(encodeHealthResponse(now), [])
      }
      if (!this.#health.ready) this.#end(watch, 'The gateway is shutting down.')
      else if (this.#retired) this.#end(watch, 'The configuration has changed; watch again.')
    }
  }

  #end(watch: Watch, message: string): void {
    this.#remove(watch)
    // UNAVAILABLE
    watch.answer.end({ code: 14, message, trailers: [] }, [])
  }

  #remove(watch: Watch): void {
    this.#watches.delete(watch)
    if (this.#watches.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** health.proto: a service that there is not may come, so that its watch goes on. */
  #statusOf(service: string): ServingStatus {
    return this.#health.statusOf(service) ?? servingStatus.serviceUnknown
  }
}
