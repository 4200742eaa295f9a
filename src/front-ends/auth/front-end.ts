import type { GatewayError } from '../../core/error.ts'
import type { FrontEnd } from '../../core/front-end.ts'
import type { HttpExchange } from '../../core/http-exchange.ts'
import type { Policy, Row } from '../../core/route.ts'
import { refuseWithProblem } from '../problem.ts'

/** One thing that the gateway itself answers about identity: a login, the keys of its issuer. */
export interface AuthEndpoint {
  /** The label of logs and metrics: `auth-login`. */
  readonly id: string
  /** A literal path: `/auth/login`. */
  readonly path: string
  readonly methods: readonly string[]
  readonly policy: Policy
  /** The key of the configuration that asks for it, for messages: `auth.issuer`. */
  readonly origin: string
  serve(x: HttpExchange): void | Promise<void>
}

/** Serves the gateway's own endpoints of identity as rows of the routing table, so that log, metrics and limits see them as they see all others. */
export class AuthFrontEnd implements FrontEnd {
  readonly name = 'rest'
  readonly rows: readonly Row[]

  constructor(endpoints: readonly AuthEndpoint[]) {
    this.rows = endpoints.map(
      ({ id, path, methods, policy, origin, serve }): Row => ({
        id,
        protocol: 'rest',
        template: path,
        policy,
        methods,
        hosts: [],
        headers: [],
        query: [],
        priority: 0,
        encodedSlash: false,
        frontEnd: this,
        leadsTo: 'the gateway itself',
        origin,
        serve,
      }),
    )
  }

  refuse(x: HttpExchange, error: GatewayError): void {
    refuseWithProblem(x, error)
  }

  async close(): Promise<void> {}
}
