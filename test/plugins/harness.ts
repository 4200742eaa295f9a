import { Registry } from 'prom-client'
import { GatewayError } from '../../src/core/error.ts'
import {
  Exchange,
  type Hooks,
  type ReplyHead,
  type RequestHead,
  type UpstreamCall,
} from '../../src/core/exchange.ts'
import type { Logger, LogLevel } from '../../src/core/log.ts'
import type { Plugin } from '../../src/core/plugin.ts'
import { tooLarge } from '../../src/core/request-body.ts'
import type { Policy, Route } from '../../src/core/route.ts'
import { compileHooks } from '../../src/pipeline/plan.ts'
import type { PluginDefinition, PluginHost } from '../../src/pipeline/registry.ts'
import { tellBackends } from '../../src/plugins/identity/tell-backends.ts'

/** As every plan has it. */
const told = tellBackends({
  told: new Map(),
  tokens: undefined,
  header: '',
  audience: () => '',
  now: Date.now,
})

/** An exchange without sockets: what was answered stays on it. */
export class TestExchange extends Exchange {
  answered: { status: number; headers: string[]; body: string } | undefined

  override get committed(): boolean {
    return this.answered !== undefined
  }

  override answer(status: number, headers: string[], body: Buffer | string): void {
    this.status = status
    for (const text of this.replyHeaders) headers.push(text)
    const reply: ReplyHead = { status, headers }
    for (const hook of this.hooks.onReply) hook(this, reply)
    this.answered = { status, headers, body: String(body) }
  }

  /** What the client sent. */
  sentBody: Buffer = Buffer.alloc(0)

  override get hasBody(): boolean {
    return this.sentBody.length > 0
  }

  override async body(maxBytes: number): Promise<Buffer> {
    if (this.sentBody.length > maxBytes) throw tooLarge(maxBytes)
    return this.sentBody
  }

  /** Walks the request hooks; what they throw ends up in `error`, and is answered as front-ends do. */
  async run(): Promise<this> {
    try {
      for (const hook of this.hooks.onRequest) {
        await hook(this)
        if (this.committed) return this
      }
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error
      this.error = error
      this.answer(error.entry.status, [...error.headers], '')
    }
    return this
  }

  /** The headers that a call to an upstream would carry. */
  call(upstreamName = 'users'): string[] {
    const call: UpstreamCall = { upstreamName, traceparent: '', headers: [] }
    for (const hook of this.hooks.onCall) hook(this, call)
    return call.headers
  }

  settle(): this {
    for (const hook of this.hooks.onSettled) hook(this)
    return this
  }
}

export interface ExchangeOptions {
  readonly plugins?: readonly Plugin[]
  readonly request?: Partial<RequestHead>
  readonly route?: Partial<Route>
}

export function exchange({ plugins = [], request = {}, route = {} }: ExchangeOptions = {}): TestExchange {
  const head: RequestHead = {
    method: 'GET',
    path: '/v1/users',
    query: '',
    host: 'gateway.example',
    scheme: 'http',
    headers: {},
    peerAddress: '127.0.0.1',
    peerTrusted: false,
    clientAddress: '192.0.2.1',
    receivedAt: Date.now(),
    startedAt: performance.now(),
    ...request,
  }
  const line: Route = {
    id: 'users-v1',
    protocol: 'rest',
    template: '/v1/users/**',
    policy: policy(),
    ...route,
  }
  const hooks: Hooks = compileHooks([...plugins, told], () => '')
  return new TestExchange(head, line, hooks)
}

export function policy(options: Partial<Policy> = {}): Policy {
  return {
    id: 'users-v1',
    auth: 'required',
    authorize: { roles: [], scopes: [] },
    plugins: [],
    forwardCredentials: false,
    ...options,
  }
}

export interface LogEntry {
  readonly level: LogLevel
  readonly fields: Readonly<Record<string, unknown>>
  readonly message: string
}

export interface TestHost extends PluginHost {
  readonly logged: LogEntry[]
  /** Set it to stop the clock. */
  time: number | undefined
}

/** A host whose kept values are shared with `before`, as over a reload. */
export function host(
  options: Partial<Pick<PluginHost, 'redis' | 'policy' | 'metrics' | 'place'>> = {},
  before?: TestHost,
): TestHost {
  const logged: LogEntry[] = []
  const record =
    (level: LogLevel) =>
    (fields: object, message: string): void => {
      logged.push({ level, fields: { ...fields }, message })
    }
  const log: Logger = {
    debug: record('debug'),
    info: record('info'),
    warn: record('warn'),
    error: record('error'),
  }
  const kept = new Map<string, unknown>()
  return {
    log,
    logged,
    time: undefined,
    metrics: new Registry(),
    configVersion: 1,
    redis: undefined,
    policy: undefined,
    place: { protocol: 'rest', variable: () => undefined, credentialHeaders: new Set() },
    upstream: (name) => {
      throw new Error(`there is no upstream "${name}"`)
    },
    now() {
      return this.time ?? Date.now()
    },
    keep<T>(key: string, make: () => T): T {
      if (before !== undefined) return before.keep(key, make)
      if (!kept.has(key)) kept.set(key, make())
      return kept.get(key) as T
    },
    ...options,
  }
}

/** A plugin made as the configuration makes it: options are checked and completed first. */
export function make(definition: PluginDefinition, options: object, house: PluginHost = host()): Plugin {
  return definition.create(definition.options.parse(options), house)
}

/** The values of a header in a flat list, in any case. */
export function values(headers: readonly string[], name: string): string[] {
  return headers.filter((_, i) => i % 2 === 1 && headers[i - 1]?.toLowerCase() === name.toLowerCase())
}

/** Runs a number generator that gives the same numbers for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
