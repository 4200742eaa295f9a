import type { Logger } from './log.ts'
import { messageOf } from './message-of.ts'

/** A text that somebody else has, as it was when they were asked last. */
export interface KnownText {
  readonly text: string
  /** What they call this version of it (an entity tag); undefined: nothing. */
  readonly tag?: string | undefined
}

/** How a text is kept up to date. */
export interface PolledTextOptions {
  /** For messages: `subgraph "products"`. */
  readonly name: string
  /** For the log: `a GraphQL schema`. */
  readonly what: string
  /** What clients are told while nothing is known. */
  readonly missing: string
  /** Between two times, a tenth more or less; milliseconds. */
  readonly intervalMs: number
  /** What is known from before. */
  readonly known: KnownText | undefined
  readonly log: Logger
  /** Asks once. Undefined: it is what it was. Rejects with an Error that says why there is no answer. */
  ask(known: KnownText | undefined): Promise<KnownText | undefined>
  /** It was asked by the clock: `changed` tells whether the text is another one. */
  onAsked(changed: boolean): void
}

/** A text that is asked for again and again; what was told last stays when there is no answer. */
export class PolledText {
  readonly #options: PolledTextOptions
  #known: KnownText | undefined
  #trouble: string | undefined
  #timer: NodeJS.Timeout | undefined
  #retryMs = firstRetryMs
  #wasAsked = false
  #isClosed = false

  constructor(options: PolledTextOptions) {
    this.#options = options
    this.#known = options.known
  }

  get name(): string {
    return this.#options.name
  }

  /** What clients are told while nothing is known. */
  get missing(): string {
    return this.#options.missing
  }

  /** Undefined: nobody ever told. */
  get known(): KnownText | undefined {
    return this.#known
  }

  /** Why it could not be had the last time; undefined: it could. */
  get trouble(): string | undefined {
    return this.#trouble === undefined ? undefined : `${this.name}: ${this.#trouble}`
  }

  /** Asks now. True: the text is another one. Never rejects: what went wrong is logged when it is new, and kept. */
  async ask(): Promise<boolean> {
    const { log, ask, name, what } = this.#options
    let trouble: string | undefined
    let changed = false
    this.#wasAsked = true
    try {
      const told = await ask(this.#known)
      if (told !== undefined) {
        changed = told.text !== this.#known?.text
        this.#known = told
      }
    } catch (error) {
      trouble = messageOf(error)
    }
    if (this.#isClosed) return false
    if (trouble !== undefined && trouble !== this.#trouble)
      log.warn({ source: name, reason: trouble }, `${what} could not be had; what was known before stays`)
    if (trouble === undefined && this.#trouble !== undefined)
      log.info({ source: name }, `${what} could be had again`)
    this.#trouble = trouble
    return changed
  }

  /** From now on it asks by itself; more often while nothing is known. */
  start(): void {
    if (this.#isClosed) return
    let delayMs = this.#options.intervalMs * (0.9 + Math.random() * 0.2)
    // What was known before a reload is soon made sure of.
    if (!this.#wasAsked) delayMs = Math.min(delayMs, firstRetryMs) * Math.random()
    else if (this.#known === undefined) {
      delayMs = Math.min(delayMs, this.#retryMs)
      this.#retryMs *= 2
    }
    this.#timer = setTimeout(() => void this.#poll(), delayMs)
    this.#timer.unref()
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
  }

  async #poll(): Promise<void> {
    const changed = await this.ask()
    if (this.#isClosed) return
    this.#options.onAsked(changed)
    this.start()
  }
}

const firstRetryMs = 1_000
