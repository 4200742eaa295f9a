/** Times of one connection, in milliseconds. */
export interface ClockOptions {
  /** For the connection, TLS, and the server's first SETTINGS together. */
  readonly connectTimeoutMs: number
  /** How long a connection without calls is kept; 0: for ever. */
  readonly idleTimeoutMs: number
  /** How long a connection takes new calls; 0: for ever. */
  readonly maxAgeMs: number
  /** A PING is sent when a connection with calls was silent for so long, at least 1,000; 0: never. */
  readonly keepaliveMs: number
  /** How long the answer to it may take. */
  readonly keepaliveTimeoutMs: number
}

/** What the clock asks of its connection. */
export interface Clocked {
  readonly callCount: number
  connectTimedOut(): void
  /** It is to take no more calls, and to end when there are none. */
  drain(): void
  ping(): void
  fellSilent(): void
}

/** The timers of one connection. */
export class ConnectionClock {
  /** Set whenever something comes. */
  heard = true
  readonly #options: ClockOptions
  readonly #connection: Clocked
  readonly #connectTimer: NodeJS.Timeout
  #idleTimer: NodeJS.Timeout | undefined
  #ageTimer: NodeJS.Timeout | undefined
  #keepaliveTimer: NodeJS.Timeout | undefined
  #answerTimer: NodeJS.Timeout | undefined

  constructor(options: ClockOptions, connection: Clocked) {
    this.#options = options
    this.#connection = connection
    this.#connectTimer = setTimeout(() => connection.connectTimedOut(), options.connectTimeoutMs)
  }

  /** The connection can be used. */
  ready(): void {
    clearTimeout(this.#connectTimer)
    const { idleTimeoutMs, maxAgeMs, keepaliveMs } = this.#options
    if (maxAgeMs > 0) this.#ageTimer = setTimeout(() => this.#connection.drain(), maxAgeMs).unref()
    if (idleTimeoutMs > 0) this.#idleTimer = setTimeout(() => this.#checkIdle(), idleTimeoutMs).unref()
    if (keepaliveMs > 0) {
      this.#keepaliveTimer = setInterval(
        () => this.#checkAlive(),
        Math.max(leastKeepaliveMs, keepaliveMs),
      ).unref()
    }
  }

  /** The last call left. */
  becameIdle(): void {
    this.#idleTimer?.refresh()
  }

  stop(): void {
    clearTimeout(this.#connectTimer)
    clearTimeout(this.#idleTimer)
    clearTimeout(this.#ageTimer)
    clearInterval(this.#keepaliveTimer)
    clearTimeout(this.#answerTimer)
  }

  #checkIdle(): void {
    if (this.#connection.callCount === 0) this.#connection.drain()
  }

  #checkAlive(): void {
    if (this.heard || this.#connection.callCount === 0) {
      this.heard = false
      return
    }
    this.#connection.ping()
    this.#answerTimer ??= setTimeout(() => {
      this.#answerTimer = undefined
      if (!this.heard) this.#connection.fellSilent()
    }, this.#options.keepaliveTimeoutMs).unref()
  }
}

const leastKeepaliveMs = 1_000
