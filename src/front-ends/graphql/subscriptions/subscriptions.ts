import { GatewayError } from '../../../core/error.ts'
import type { Hooks } from '../../../core/exchange.ts'
import type { HttpExchange } from '../../../core/http-exchange.ts'
import type { Policy, Row } from '../../../core/route.ts'
import type { Engine } from '../engine.ts'
import type { Execution, OperationResult } from '../operation.ts'
import type { Engines } from '../supergraph/engines.ts'
import { framings } from './client/framing.ts'
import { type OperationParts, restarting } from './client/running-operation.ts'
import { serveEvents, single } from './client/serve-events.ts'
import { SocketDoor, type SocketOptions } from './client/socket-door.ts'
import { streamFormat } from './client/stream-format.ts'
import { type SlotLimits, SubscriptionSlots } from './subscription-slots.ts'

/** How subscriptions are served; durations in milliseconds. */
export interface SubscriptionSettings extends SlotLimits {
  /** How often a silent answer shows that it lives. */
  readonly heartbeatMs: number
  /** How often a subscription at a subgraph that broke off is asked for again, one time after the other; 0: never. */
  readonly reconnects: number
  /** Whether each event is charged what the operation costs. */
  readonly chargeEvents: boolean
  /** Undefined: there are no WebSockets. */
  readonly webSocket: SocketOptions | undefined
}

/** The part of the front-end that serves what lasts: subscriptions, and WebSockets with whatever runs on them. */
export class Subscriptions {
  readonly #settings: SubscriptionSettings
  readonly #slots: SubscriptionSlots
  readonly #door: SocketDoor | undefined

  constructor(
    settings: SubscriptionSettings,
    { engines, read }: { readonly engines: Engines; readonly read: OperationParts['read'] },
  ) {
    this.#settings = settings
    this.#slots = new SubscriptionSlots(settings)
    const { webSocket } = settings
    this.#door = webSocket && new SocketDoor(webSocket, { engines, read, slots: this.#slots })
    engines.onRetire((engine) => engine.endSubscriptions(restarting()))
  }

  /** The row by which WebSockets come, beside that of the endpoint; none where there are none. */
  rows(row: Row): Row[] {
    const door = this.#door
    if (door === undefined) return []
    const { policy } = row
    const later = this.#settings.webSocket?.connectionParams !== undefined
    return [
      {
        ...row,
        id: `${row.id}-websocket`,
        policy: later ? handshakePolicy(policy) : policy,
        methods: ['GET'],
        headers: [{ name: 'upgrade', value: 'websocket' }],
        serve: (x) => door.serve(x),
      },
    ]
  }

  /** Told of the hooks of the endpoint's row. */
  planned(route: Row, hooks: Hooks): void {
    this.#door?.use({ route, hooks })
  }

  /** Answers a subscription by its events, in the format that its client takes. */
  async serve(x: HttpExchange, engine: Engine, execution: Execution): Promise<void> {
    const format = streamFormat(x.header('accept'))
    if (format === undefined) {
      throw new GatewayError(
        'NOT_ACCEPTABLE',
        'A subscription is answered as text/event-stream or multipart/mixed, or on a WebSocket.',
      )
    }
    const free = this.#slots.take(x)
    x.lasting = true
    try {
      const events = await engine.subscribe(execution)
      if (x.gone) return
      const { heartbeatMs } = this.#settings
      await serveEvents(x, events, { framing: framings[format], heartbeatMs })
    } finally {
      free()
    }
  }

  /** Answers a query or a mutation whose client takes streams only, by one event. */
  async serveOnce(x: HttpExchange, result: OperationResult): Promise<void> {
    const framing = framings[streamFormat(x.header('accept')) ?? 'events']
    await serveEvents(x, single(result), { framing, heartbeatMs: this.#settings.heartbeatMs })
  }

  retire(): void {
    this.#door?.retire()
  }
}

/** Lets everybody in whose credentials are not wrong: who has to show some does so in `connection_init`, and each operation is asked. */
function handshakePolicy(policy: Policy): Policy {
  const { auth } = policy
  return {
    ...policy,
    auth: auth === 'none' ? 'none' : 'optional',
    authorize: { roles: [], scopes: [] },
    plugins: [],
    service: policy,
  }
}
