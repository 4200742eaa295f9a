import type { Exchange } from './exchange.ts'
import type { ExpectedTarget } from './expected-target.ts'
import type { FrontEnd, Protocol } from './front-end.ts'
import type { HttpExchange } from './http-exchange.ts'

/** Whether callers must prove who they are. */
export type Auth = 'required' | 'optional' | 'none'

/** What a request must pass before it is served: identity, permissions, plugins. Shared by all rows that it was written for. */
export interface Policy {
  /** The id of the route, service or endpoint that the policy was written for; plugins keep their state under it. */
  readonly id: string
  readonly auth: Auth
  readonly authorize: Authorization
  /** Plugins in run order, as configured: a name and its options (already checked). */
  readonly plugins: readonly PluginUse[]
  /** The policy of the service that this one is a method of: its plugins, the same instances for all methods, come before these. */
  readonly service?: Policy
  /** Whether the client's own credentials go on to the upstream. */
  readonly forwardCredentials: boolean
}

/** What a caller needs besides an identity: all of what is here. An empty list asks for nothing. */
export interface Authorization {
  /** One of these. */
  readonly roles: readonly string[]
  /** All of these. */
  readonly scopes: readonly string[]
  /** One of these. */
  readonly anyScope?: readonly string[]
  /** To be one of these, by id. */
  readonly consumers?: readonly string[]
  /** By name of the claim; each of them. */
  readonly claims?: Readonly<Record<string, ClaimCondition>>
}

/**
 * What a claim must be, or have among its elements: one of these values exactly, `*` alone for any. Texts may have values of the path in
 * them: `${path.id}`.
 */
export type ClaimCondition = ClaimValue | readonly ClaimValue[]
export type ClaimValue = string | number | boolean

/** One plugin with its checked options. */
export interface PluginUse {
  readonly name: string
  readonly options: unknown
}

/** What plugins, log and metrics know of the place that a request was routed to. */
export interface Route {
  /** Stable and bounded: the route's id or the gRPC method; the label of metrics. */
  readonly id: string
  readonly protocol: Protocol
  /** Path template in the grammar of `google.api.http`. */
  readonly template: string
  readonly policy: Policy
}

/** A condition on one header or query parameter: its exact value, or `*` for any value. */
export interface ValueMatch {
  readonly name: string
  readonly value: string
}

/** One line of the routing table: when it matches and who serves it. */
export interface Row extends Route {
  /** Upper case; empty for every method. GET includes HEAD. */
  readonly methods: readonly string[]
  /** `api.example.com` or `*.example.com`, lower case, without port; empty for every host. */
  readonly hosts: readonly string[]
  readonly headers: readonly ValueMatch[]
  readonly query: readonly ValueMatch[]
  /** Higher wins between rows that match equally well; default 0. */
  readonly priority: number
  /** Whether `%2F` inside a path segment is accepted; gRPC bindings decode it by the rules of `http.proto`. */
  readonly encodedSlash: boolean
  readonly frontEnd: FrontEnd
  /** Whether it is served however busy the gateway is: it tells of the gateway's health. Default false. */
  readonly always?: boolean
  /** Who answers, for people: `users`, `users (canary users-v2, mirror users-next)`, `redirect`. Default: the front-end itself. */
  readonly leadsTo?: string
  /** Where the call of an exchange would go right now; nothing is taken from anybody by it. Absent: there is no such place. */
  readonly expects?: (x: Exchange) => ExpectedTarget
  /** Where the row was written, for messages: a configuration path or `file.proto: Method`. */
  readonly origin: string
  /** Serves an exchange that has passed all `onRequest` hooks. */
  serve(x: HttpExchange): void | Promise<void>
}
