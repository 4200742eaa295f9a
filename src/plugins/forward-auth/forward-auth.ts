import { GatewayError, toGatewayError } from '../../core/error.ts'
import { type Exchange, Slot, type UpstreamCall } from '../../core/exchange.ts'
import type { Plugin } from '../../core/plugin.ts'
import type { Principal } from '../../core/principal.ts'
import { foldHeaderName, takeOutHeaders } from '../../core/take-out-headers.ts'
import {
  type AskUpstream,
  definePlugin,
  type PluginDefinition,
  type PluginHost,
  type UpstreamAnswer,
} from '../../pipeline/registry.ts'
import { type ForwardAuthOptions, forwardAuthOptions } from './options.ts'
import { cacheKey, questionHeaders } from './question.ts'
import { mayBeKept, refuse, type Verdict, verdictOf } from './verdict.ts'
import { VerdictCache } from './verdict-cache.ts'

/** Asks a service outside whether a request may be served (Traefik's forwardAuth, Envoy's ext_authz over HTTP): 2xx is yes. */
export const forwardAuth: PluginDefinition = definePlugin({
  name: 'forwardAuth',
  options: forwardAuthOptions,
  create: (options, host): Plugin => new ForwardAuth(options, host),
})

/** Of a service that failed and whose word does not count then. */
const nothing: Verdict = { headers: [], user: undefined }

class ForwardAuth implements Plugin {
  readonly #options: ForwardAuthOptions
  readonly #host: PluginHost
  readonly #ask: AskUpstream
  readonly #cache: VerdictCache | undefined
  /** Questions that are asked just now; undefined as an answer: it is not for others. */
  readonly #asked = new Map<string, Promise<UpstreamAnswer | undefined>>()
  /** Of an exchange that was let pass. */
  readonly #verdict = new Slot<Verdict>('forwardAuth')
  /** Names that only the service sets, folded. */
  readonly #owned: readonly string[]

  constructor(options: ForwardAuthOptions, host: PluginHost) {
    if (options.user !== undefined && host.policy?.auth !== 'none')
      throw new Error(
        'forwardAuth.user: says who calls, and so does the identity of this place; set auth: none',
      )
    this.#options = options
    this.#host = host
    this.#ask = host.upstream(options.upstream)
    this.#cache = options.cacheFor === 0 ? undefined : new VerdictCache(options.cacheFor, () => host.now())
    this.#owned = options.responseHeaders.map(foldHeaderName)
  }

  onRequest(x: Exchange): void | Promise<void> {
    const key = this.#cache === undefined ? undefined : cacheKey(x, this.#options)
    if (key === undefined) return this.#decide(x, this.#question(x))
    const kept = this.#cache?.get(key)
    if (kept !== undefined) {
      this.#pass(x, kept)
      return
    }
    return this.#decide(x, this.#shared(x, key), key)
  }

  onCall(x: Exchange, call: UpstreamCall): void {
    const verdict = x.get(this.#verdict)
    // The question itself comes before there is an answer.
    if (verdict === undefined) return
    takeOutHeaders(call.headers, this.#owned)
    call.headers.push(...verdict.headers)
  }

  async #decide(x: Exchange, question: Promise<UpstreamAnswer>, key?: string): Promise<void> {
    let answer: UpstreamAnswer
    let verdict: Verdict | undefined
    try {
      answer = await question
      if (answer.status >= 500 || answer.status < 200) throw new Error(`it answered ${answer.status}`)
      if (answer.status < 300) verdict = verdictOf(answer, this.#options)
    } catch (thrown) {
      this.#failed(x, thrown)
      return
    }
    if (verdict === undefined) {
      refuse(x, answer)
      return
    }
    if (key !== undefined && mayBeKept(answer)) this.#cache?.set(key, verdict)
    this.#pass(x, verdict)
  }

  #pass(x: Exchange, verdict: Verdict): void {
    x.set(this.#verdict, verdict)
    if (verdict.user !== undefined) x.principal = principalOf(verdict.user)
  }

  #failed(x: Exchange, thrown: unknown): void {
    const error = toGatewayError(thrown)
    if (error.reason === 'CLIENT_GONE') throw error
    if (this.#options.onError === 'allow') {
      this.#host.log.debug(
        { err: thrown },
        'forwardAuth lets a request pass that nobody could be asked about',
      )
      this.#pass(x, nothing)
      return
    }
    throw new GatewayError('UNAVAILABLE', 'Whether this is allowed cannot be found out at the moment.', {
      cause: thrown,
      retryAfterMs: 1_000,
      reached: false,
    })
  }

  /** One question for all requests that ask the same at a time. */
  async #shared(x: Exchange, key: string): Promise<UpstreamAnswer> {
    const underway = this.#asked.get(key)
    // What was not for others is asked for oneself.
    if (underway !== undefined) return (await underway) ?? (await this.#question(x))
    const question = this.#question(x)
    const forOthers = question.then(
      (answer) => (answer.status >= 300 || mayBeKept(answer) ? answer : undefined),
      (thrown: unknown) => {
        // Whoever asked first has left, which says nothing of the service.
        if (toGatewayError(thrown).reason === 'CLIENT_GONE') return undefined
        throw thrown
      },
    )
    // Nobody else may be waiting.
    forOthers.catch(() => {})
    this.#asked.set(key, forOthers)
    try {
      return await question
    } finally {
      this.#asked.delete(key)
    }
  }

  #question(x: Exchange): Promise<UpstreamAnswer> {
    const { path, requestHeaders, timeout: timeoutMs } = this.#options
    return this.#ask(x, { path, headers: questionHeaders(x, requestHeaders), timeoutMs })
  }
}

function principalOf(id: string): Principal {
  return { id, roles: [], scopes: [], via: 'forwardAuth' }
}
