import type { GatewayError } from './error.ts'
import type { Hooks } from './exchange.ts'
import type { HttpExchange } from './http-exchange.ts'
import type { Row } from './route.ts'

/** The front-ends, as they are named in logs and metrics. */
export type Protocol = 'rest' | 'graphql' | 'grpc'

/** One protocol: how its exchanges are read and answered. */
export interface FrontEnd {
  readonly name: Protocol
  /** Its lines of the routing table, complete when the front-end is made. */
  readonly rows: readonly Row[]
  /** An OpenAPI document of the rows, where the protocol has a way to describe them; made anew by each call. */
  readonly describe?: () => object
  /** Answers a refused or failed exchange in the protocol's own words. Called only while nothing was sent. */
  refuse(x: HttpExchange, error: GatewayError): void
  /** Told of the hooks of each row before it is served: for one that makes exchanges of its own. */
  planned?(row: Row, hooks: Hooks): void
  /** It gets no new exchanges from now on, or hardly any: those that would last for as long as their clients like are to end. May be told twice. */
  retire?(): void
  /** Frees what the front-end holds; called when its last exchange has settled. */
  close(): Promise<void>
}
