import type { Note } from './reader.ts'

export type Json = Readonly<Record<string, unknown>>

/** What one plugin of another gateway becomes here. */
export interface Part {
  /** Whether callers must prove who they are. */
  readonly auth?: 'required' | 'optional'
  /** Plugins of the place. */
  readonly plugins?: readonly unknown[]
  /** Plugins of the whole gateway. */
  readonly shared?: readonly unknown[]
  /** Keys of the route. */
  readonly route?: Json
  /** `rewrite` of the route. */
  readonly rewrite?: Json
}

/** A converted configuration, and what is missing in it. */
export interface Converted {
  readonly config: Json
  readonly notes: readonly Note[]
}

/** A configuration of ours that is being put together. */
export class Draft {
  readonly upstreams: Record<string, Json> = {}
  readonly routes: Json[] = []
  readonly consumers: Json[] = []
  readonly jwt: Json[] = []
  apiKeys: Json | undefined
  #shared: unknown[] = ['requestId', 'accessLog', 'metrics']
  readonly #ids = new Map<string, number>()

  /** A name of ours for one of theirs, another for each call: `users`, `users-2`. */
  id(kind: 'upstream' | 'route' | 'consumer', theirs: string): string {
    const name = nameOf(theirs)
    const key = `${kind} ${name}`
    const count = (this.#ids.get(key) ?? 0) + 1
    this.#ids.set(key, count)
    return count === 1 ? name : this.id(kind, `${name}-${count}`)
  }

  /** Each plugin once. */
  share(plugins: readonly unknown[]): void {
    const known = new Set(this.#shared.map((plugin) => JSON.stringify(plugin)))
    this.#shared = [...this.#shared, ...plugins.filter((plugin) => !known.has(JSON.stringify(plugin)))]
  }

  route(route: Json, parts: readonly Part[]): void {
    const auth = parts.some((part) => part.auth === 'required')
      ? 'required'
      : parts.some((part) => part.auth === 'optional')
        ? 'optional'
        : 'none'
    const changed = Object.assign({}, route.rewrite, ...parts.map((part) => part.rewrite))
    // Another path stands in place of all of it.
    const rewrite = changed.path === undefined ? changed : known({ path: changed.path, query: changed.query })
    const plugins = parts.flatMap((part) => part.plugins ?? [])
    const own = Object.assign({}, ...parts.map((part) => part.route))
    const { upstream, ...rest } = { ...route, ...own }
    const answers = own.respond !== undefined || own.redirect !== undefined
    this.routes.push(
      known({
        ...rest,
        // One that answers by itself has nobody else to ask.
        upstream: answers ? undefined : upstream,
        rewrite: answers || Object.keys(rewrite).length === 0 ? undefined : rewrite,
        auth,
        plugins: plugins.length > 0 ? plugins : undefined,
      }),
    )
  }

  config(): Json {
    const protectedRoutes = this.routes.some(({ auth }) => auth !== 'none')
    // Without anybody to let in, a protected route would be refused.
    const consumers =
      protectedRoutes && this.consumers.length + this.jwt.length === 0 ? [{ id: 'clients' }] : this.consumers
    const auth = known({ apiKeys: this.apiKeys, jwt: this.jwt.length > 0 ? this.jwt : undefined })
    return known({
      plugins: this.#shared,
      upstreams: this.upstreams,
      routes: this.routes,
      consumers: consumers.length > 0 ? consumers : undefined,
      auth: Object.keys(auth).length > 0 ? auth : undefined,
    })
  }
}

/** Without what is undefined. */
export function known(value: Json): Json {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined))
}

/** Letters, digits, `.`, `_` and `-`, at most 63. */
export function nameOf(theirs: string): string {
  const name = theirs.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[._-]+|[-]+$/g, '')
  return name === '' ? 'unnamed' : name.slice(0, 56)
}

/** `2s`, `250ms`: of milliseconds. */
export function duration(ms: number): string {
  return ms % 1_000 === 0 ? `${ms / 1_000}s` : `${Math.round(ms)}ms`
}

/** `1m`: of seconds. */
export function window(seconds: number): string {
  if (seconds % 3_600 === 0) return `${seconds / 3_600}h`
  return seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`
}

/** `*` only where browsers take it: beside credentials nothing may be `*`. */
export function corsPlugin(options: {
  readonly origins: readonly string[]
  readonly methods: readonly string[]
  readonly headers: readonly string[]
  readonly exposed: readonly string[]
  readonly credentials: boolean
  readonly maxAgeSeconds: number | undefined
}): unknown {
  const list = (items: readonly string[]): readonly string[] | undefined =>
    items.length === 0 || items.some((item) => item.startsWith('*') && item !== '*') ? undefined : items
  const { origins, methods, headers, exposed, credentials, maxAgeSeconds } = options
  return {
    cors: known({
      allowOrigins: list(origins),
      allowMethods: list(methods),
      allowHeaders: list(headers),
      exposeHeaders: list(exposed.filter((name) => name !== '*')),
      allowCredentials: credentials ? true : undefined,
      maxAge: maxAgeSeconds === undefined ? undefined : `${maxAgeSeconds}s`,
    }),
  }
}

/** Undefined when it would change nothing. */
export function headersPlugin(changes: {
  readonly request?: Json
  readonly response?: Json
}): readonly unknown[] {
  const sides = Object.entries(changes).flatMap(([side, change]) => {
    const filled = Object.entries(change ?? {}).filter(([, what]) => Object.keys(what as object).length > 0)
    return filled.length === 0 ? [] : [[side, Object.fromEntries(filled)] as const]
  })
  return sides.length === 0 ? [] : [{ headers: Object.fromEntries(sides) }]
}
