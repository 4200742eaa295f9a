import type { Logger } from '../../core/log.ts'
import { messageOf } from '../../core/message-of.ts'
import { fetchJson, UnexpectedStatus } from './fetch-json.ts'
import { introspectionUnavailable } from './refusals.ts'

const maxBytes = 65_536
const maxWaiting = 512
/** After so many questions in a row that failed nobody asks for a while. One alone can be the fault of a token. */
const failuresToPause = 5
const pauseMs = 1_000

/** How an introspection endpoint is asked. */
export interface IntrospectionClientOptions {
  /** Its address; may have to be found out. */
  locate(): Promise<string>
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** For one answer, in milliseconds, waiting for a turn included. */
  readonly timeoutMs: number
  /** Questions at a time; others wait. */
  readonly concurrency: number
  /** Questions about new tokens in one second. */
  readonly perSecond: number
  readonly log: Logger
  now(): number
}

/**
 * Asks an authorization server about tokens (RFC 7662 section 2), a bounded number at a time and in a second. Whatever keeps it from an
 * answer makes {@link ask} reject with UNAVAILABLE.
 */
export class IntrospectionClient {
  readonly #options: IntrospectionClientOptions
  readonly #authorization: string
  readonly #waiting: ((mayAsk: boolean) => void)[] = []
  #asking = 0
  #pausedUntil = 0
  #second = 0
  #inSecond = 0
  #failures = 0
  #trouble: string | undefined

  constructor(options: IntrospectionClientOptions) {
    this.#options = options
    const { clientId, clientSecret } = options
    this.#authorization = `Basic ${Buffer.from(`${formText(clientId)}:${formText(clientSecret)}`).toString('base64')}`
  }

  /** What is wrong, for people; undefined: nothing. */
  get trouble(): string | undefined {
    return this.#trouble
  }

  /** The answer about a token: a JSON object whose `active` is a boolean. `isNew`: it was never found good. */
  async ask(token: string, isNew: boolean): Promise<Readonly<Record<string, unknown>>> {
    if (this.#options.now() < this.#pausedUntil) throw introspectionUnavailable(this.#trouble)
    if (isNew) this.#count()
    await this.#turn()
    try {
      const answer = await this.#post(token)
      if (this.#trouble !== undefined)
        this.#options.log.info({ issuer: this.#options.issuer }, 'introspection is there again')
      this.#trouble = undefined
      this.#failures = 0
      return answer
    } catch (error) {
      throw this.#failed(error)
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#asking--
      else next(true)
    }
  }

  async #post(token: string): Promise<Readonly<Record<string, unknown>>> {
    const { locate, timeoutMs } = this.#options
    let answer: Readonly<Record<string, unknown>>
    try {
      answer = await fetchJson(await locate(), {
        timeoutMs,
        maxBytes,
        form: new URLSearchParams({ token, token_type_hint: 'access_token' }),
        headers: { authorization: this.#authorization },
      })
    } catch (error) {
      // Servers that cannot read a token say so in this way; it must not count against the server.
      if (error instanceof UnexpectedStatus && error.status === 400) return { active: false }
      throw error
    }
    if (typeof answer.active !== 'boolean') throw new Error('the answer does not say whether it is active')
    return answer
  }

  /** Refuses what comes too often: a stranger can make up any number of tokens, but not one that was found good. */
  #count(): void {
    const second = Math.floor(this.#options.now() / 1_000)
    if (second !== this.#second) this.#inSecond = 0
    this.#second = second
    if (++this.#inSecond > this.#options.perSecond) throw introspectionUnavailable('too many in a second')
  }

  async #turn(): Promise<void> {
    const { concurrency, timeoutMs } = this.#options
    if (this.#asking < concurrency) {
      this.#asking++
      return
    }
    if (this.#waiting.length >= maxWaiting) throw introspectionUnavailable('too many wait')
    const { promise, resolve } = Promise.withResolvers<boolean>()
    this.#waiting.push(resolve)
    const timer = setTimeout(() => {
      const at = this.#waiting.indexOf(resolve)
      if (at !== -1) this.#waiting.splice(at, 1)
      resolve(false)
    }, timeoutMs)
    const mayAsk = await promise
    clearTimeout(timer)
    if (!mayAsk) throw introspectionUnavailable('no turn in time')
  }

  #failed(error: unknown): Error {
    const { issuer, log, now } = this.#options
    const trouble = messageOf(error)
    if (this.#trouble === undefined) log.warn({ issuer, trouble }, 'introspection does not answer')
    this.#trouble = trouble
    if (++this.#failures >= failuresToPause) {
      this.#pausedUntil = now() + pauseMs
      for (const give of this.#waiting.splice(0)) give(false)
    }
    return introspectionUnavailable(trouble)
  }
}

/** RFC 6749 section 2.3.1: both are form-encoded before they become one text. */
function formText(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1)
}
