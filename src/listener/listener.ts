import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { TrustedProxies } from '../core/client-address.ts'
import { GatewayError } from '../core/error.ts'
import type { Hooks } from '../core/exchange.ts'
import { HttpExchange, type UpgradeSocket } from '../core/http-exchange.ts'
import type { Row } from '../core/route.ts'
import { run } from '../pipeline/run.ts'
import type { RoutingTable } from '../routing/table.ts'
import { ActiveExchanges } from './active-exchanges.ts'
import { Admission } from './admission.ts'
import { findPlan } from './find-plan.ts'
import type { Overload } from './overload.ts'
import { type ReadHead, readHead, unreadableHead } from './request-head.ts'
import { inspectHead, inspectUpgrade, type WireFacts, type WireLimits } from './wire.ts'

/** A row with the hooks that its requests walk: all that is computed when configuration loads. */
export interface Plan {
  readonly row: Row
  readonly hooks: Hooks
}

/** One loaded configuration as the listener sees it; swapped as a whole on reload. */
export interface Generation {
  readonly table: RoutingTable<Plan>
  /** For what no row takes: refusals on the wire, 404, 405. */
  readonly unrouted: Plan
  /** Counts an exchange in; `leave` counts it out when it has settled. */
  enter(): void
  leave(): void
}

export interface ListenerOptions {
  readonly limits: WireLimits
  readonly proxies: TrustedProxies
  /** The configuration that new requests meet. */
  current(): Generation
  /** Asked before anything is done for a request that a row takes. */
  readonly overload: Overload
  /** Whether the gateway is shutting down, so that answers close their connections. */
  draining(): boolean
}

/** Takes over what no row claims: Express with the management endpoints, or the app that the gateway is mounted in. */
export type Fallback = (req: IncomingMessage, res: ServerResponse) => void

/** Turns requests into exchanges: reads the head strictly, asks the routing table, runs the plan. */
export class Listener {
  readonly #options: ListenerOptions
  /** Connections that were told to close: what was pipelined behind the last request is dropped. */
  readonly #ending = new WeakSet<Duplex>()
  readonly #active = new ActiveExchanges()
  readonly #admit: (x: HttpExchange) => void

  constructor(options: ListenerOptions) {
    this.#options = options
    const admission = new Admission(options.overload, { begin: run, now: () => performance.now() })
    this.#admit = (x) => admission.enter(x)
  }

  /** Exchanges that have not settled. */
  get active(): ActiveExchanges {
    return this.#active
  }

  /** Handles one request; `fallback` gets it when it is well formed and no row takes its path. */
  handle(req: IncomingMessage, res: ServerResponse, fallback: Fallback, upgrade?: UpgradeSocket): void {
    if (this.#ending.has(req.socket)) return
    const { limits, proxies } = this.#options
    let facts: WireFacts
    let head: ReadHead
    try {
      facts = inspectHead(req, limits)
      if (upgrade !== undefined) inspectUpgrade(req, facts)
      head = readHead(req, proxies)
    } catch (error) {
      this.#refuseUnread(req, res, error)
      return
    }
    const generation = this.#options.current()
    const found = findPlan(generation.table, head)
    if (found === undefined) {
      fallback(req, res)
      return
    }
    const arrived = { req, res, head, facts, upgrade }
    if (found instanceof GatewayError) {
      this.#start(this.#exchange(arrived, generation.unrouted, generation), (x) => x.fail(found))
      return
    }
    this.#start(this.#exchange(arrived, found, generation), found.row.always === true ? run : this.#admit)
  }

  /** Serves by a plan that is in no table what no row took. */
  serve(req: IncomingMessage, res: ServerResponse, plan: Plan): void {
    this.#startUnrouted(req, res, { plan, go: this.#admit })
  }

  /** 404 in the gateway's own words, logged and counted; what the fallback ends with. */
  notFound(req: IncomingMessage, res: ServerResponse): void {
    this.#refuse(req, res, new GatewayError('ROUTE_NOT_FOUND', 'No route matches this path.'))
  }

  /** An error that was thrown behind the fallback (in Express), in the gateway's own words. */
  failed(req: IncomingMessage, res: ServerResponse, error: unknown): void {
    this.#refuse(req, res, error)
  }

  #refuse(req: IncomingMessage, res: ServerResponse, error: unknown): void {
    const { unrouted: plan } = this.#options.current()
    this.#startUnrouted(req, res, { plan, go: (x) => x.fail(error) })
  }

  #startUnrouted(req: IncomingMessage, res: ServerResponse, { plan, go }: Unrouted): void {
    const generation = this.#options.current()
    let facts: WireFacts
    let head: ReadHead
    try {
      facts = inspectHead(req, this.#options.limits)
      head = readHead(req, this.#options.proxies)
    } catch (error) {
      this.#refuseUnread(req, res, error)
      return
    }
    this.#start(this.#exchange({ req, res, head, facts }, plan, generation), go)
  }

  /** Refuses a request that was not read well enough to be trusted: the connection ends with it. */
  #refuseUnread(req: IncomingMessage, res: ServerResponse, error: unknown): void {
    const generation = this.#options.current()
    const head = { request: unreadableHead(req, this.#options.proxies), path: noPath }
    const x = this.#exchange({ req, res, head, facts: unknownFacts }, generation.unrouted, generation)
    x.endConnection()
    this.#start(x, () => x.fail(error))
  }

  #exchange(arrived: Arrived, plan: Plan, generation: Generation): HttpExchange {
    const { req, res, head, facts, upgrade } = arrived
    const x = new HttpExchange(
      {
        req,
        res,
        request: head.request,
        segments: head.path.segments,
        hasBody: facts.hasBody,
        contentLength: facts.contentLength,
        expectsContinue: facts.expectsContinue,
        ending: this.#ending,
        upgrade,
      },
      plan.row,
      plan.hooks,
    )
    generation.enter()
    this.#active.add(x)
    x.afterSettled(() => {
      this.#active.remove(x)
      generation.leave()
    })
    return x
  }

  #start(x: HttpExchange, go: (x: HttpExchange) => void): void {
    if (this.#options.draining()) x.endConnection()
    go(x)
  }
}

/** What is done with a request that no row took. */
interface Unrouted {
  readonly plan: Plan
  readonly go: (x: HttpExchange) => void
}

interface Arrived {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly head: ReadHead
  readonly facts: WireFacts
  readonly upgrade?: UpgradeSocket | undefined
}

const noPath = { path: '/', segments: [], matchSegments: [], encodedSlash: false }
const unknownFacts: WireFacts = { hasBody: true, contentLength: undefined, expectsContinue: false }
