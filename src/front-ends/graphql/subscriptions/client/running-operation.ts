import { GatewayError, toGatewayError } from '../../../../core/error.ts'
import { answerText, isNothing } from '../../answer.ts'
import type { Engine } from '../../engine.ts'
import { refusalErrors } from '../../errors.ts'
import type { Execution, KnownOperation, OperationContext } from '../../operation.ts'
import type { Engines } from '../../supergraph/engines.ts'
import type { OperationEvents } from '../operation-events.ts'
import type { SubscriptionSlots } from '../subscription-slots.ts'
import type { GraphqlSocket, SocketOperation } from './graphql-socket.ts'
import type { SocketExchange } from './socket-exchange.ts'

/** What operations on WebSockets run with. */
export interface OperationParts {
  readonly engines: Engines
  readonly slots: SubscriptionSlots
  /** Reads the payload as the request that it is. Rejects with a GatewayError. */
  read(x: SocketExchange, engine: Engine, payload: Readonly<Record<string, unknown>>): Promise<ReadOperation>
}

/** What a client asks for. */
export interface ReadOperation {
  readonly operation: KnownOperation
  readonly variables: Readonly<Record<string, unknown>>
}

/** Runs one operation and tells its client of it. */
export class RunningOperation implements SocketOperation {
  isShort = true
  readonly #x: SocketExchange
  readonly #socket: GraphqlSocket
  readonly #id: string
  readonly #parts: OperationParts

  constructor(
    x: SocketExchange,
    { socket, id, parts }: { socket: GraphqlSocket; id: string; parts: OperationParts },
  ) {
    this.#x = x
    this.#socket = socket
    this.#id = id
    this.#parts = parts
  }

  cancel(): void {
    this.#x.markGone()
  }

  async run(payload: Readonly<Record<string, unknown>>): Promise<void> {
    const x = this.#x
    try {
      await x.admit()
      await this.#execute(payload)
      this.#socket.end(this, this.#id)
    } catch (thrown) {
      const error = toGatewayError(thrown)
      x.error ??= error
      if (error.reason === 'DRAINING') this.#socket.retire()
      else this.#socket.end(this, this.#id, JSON.stringify(refusalErrors(x, error)))
    } finally {
      if (x.gone && x.status === 0 && x.error === undefined && this.isShort) x.status = 499
      x.settle()
    }
  }

  async #execute(payload: Readonly<Record<string, unknown>>): Promise<void> {
    const x = this.#x
    const running = this.#parts.engines.enter()
    try {
      const { engine } = running
      const { operation, variables } = await this.#parts.read(x, engine, payload)
      const context: OperationContext = { x, faults: [] }
      const execution: Execution = { operation, variables, context }
      if (operation.type === 'subscription') {
        await this.#subscribe(engine, execution)
        return
      }
      const result = await engine.execute(execution)
      const [fault] = context.faults
      if (fault !== undefined && isNothing(result)) x.error ??= fault
      await this.#tell(answerText(x, result))
    } finally {
      running.leave()
    }
  }

  async #subscribe(engine: Engine, execution: Execution): Promise<void> {
    const x = this.#x
    const free = this.#parts.slots.take(x)
    this.isShort = false
    try {
      if (x.gone) return
      const events: OperationEvents = await engine.subscribe(execution)
      for (let result = await events.next(); result !== undefined; result = await events.next()) {
        if (x.gone) return
        await this.#tell(answerText(x, result))
      }
    } finally {
      free()
    }
  }

  #tell(text: string): Promise<void> {
    this.#x.responseBytes += Buffer.byteLength(text)
    return this.#socket.next(this, this.#id, text)
  }
}

/** What a subscription ends with that goes on at another place: that of the same gateway which has taken over. */
export function restarting(): GatewayError {
  return new GatewayError('DRAINING', 'The gateway has other things to run now: subscribe again.', {
    retryAfterMs: 1_000,
  })
}
