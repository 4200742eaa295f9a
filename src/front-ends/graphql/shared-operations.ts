import { clientGone } from '../../core/error.ts'
import type { Exchange } from '../../core/exchange.ts'
import type { Principal } from '../../core/principal.ts'
import type { Execution, OperationContext, OperationResult } from './operation.ts'
import { ReplyParts } from './subgraphs/reply-parts.ts'

/** What came of an operation for those who wait for it; undefined: nothing that concerns them. */
type Outcome =
  | { readonly result: OperationResult; readonly context: OperationContext }
  | { readonly error: unknown }
  | undefined

/**
 * Runs identical queries of clients that are under way at a time once. Identical is the operation, its variables, who calls and from where, the query string,
 * and every header but those that name one request: whatever a plugin, a rule or a subgraph could decide by. A client that leaves takes nobody with it.
 */
export class SharedOperations {
  readonly #flights = new Map<string, Promise<Outcome>>()
  readonly #principals = new WeakMap<Principal, number>()
  #lastPrincipal = 0

  /** Runs an operation that its caller may have, or has the result of one that is the same. Rejects as `execute` does. */
  async run(execution: Execution, execute: () => Promise<OperationResult>): Promise<OperationResult> {
    const { operation, context } = execution
    if (operation.type === 'mutation') return execute().finally(() => this.#flights.clear())
    const key = this.#keyOf(execution)
    if (key === undefined) return await execute()
    for (;;) {
      const flight = this.#flights.get(key)
      if (flight === undefined) return await this.#lead(key, context, execute)
      const outcome = await outcomeFor(context.x, flight)
      if (outcome === undefined) continue
      if ('error' in outcome) throw outcome.error
      adopt(context, outcome.context)
      return outcome.result
    }
  }

  async #lead(
    key: string,
    context: OperationContext,
    execute: () => Promise<OperationResult>,
  ): Promise<OperationResult> {
    const { promise, resolve } = Promise.withResolvers<Outcome>()
    this.#flights.set(key, promise)
    const isOwn = (): boolean => context.x.gone || context.x.stopped !== undefined
    try {
      const result = await execute()
      resolve(isOwn() ? undefined : { result, context })
      return result
    } catch (error) {
      resolve(isOwn() ? undefined : { error })
      throw error
    } finally {
      if (this.#flights.get(key) === promise) this.#flights.delete(key)
    }
  }

  /** Undefined: it is not to be shared. */
  #keyOf({ operation, variables, context }: Execution): string | undefined {
    const { x, limits, showsPlan } = context
    const { request } = x
    // A stored operation has limits of its own; files are not among the variables.
    if (
      limits !== undefined ||
      showsPlan === true ||
      x.header('content-type')?.startsWith('multipart/') === true
    )
      return undefined
    const text = JSON.stringify(variables)
    if (text.length > maxShared) return undefined
    let key = `${operation.hash}\n${this.#numberOf(x.principal)}\n${request.scheme}://${request.host}${request.path}?${request.query}\n`
    key += `${request.clientAddress} ${request.peerAddress}\n`
    for (const name in request.headers)
      if (!requestNames.has(name)) key += `${name}:${JSON.stringify(request.headers[name])}\n`
    return `${key}\n${text}`
  }

  #numberOf(principal: Principal | undefined): number {
    if (principal === undefined) return 0
    let number = this.#principals.get(principal)
    if (number === undefined) {
      number = ++this.#lastPrincipal
      this.#principals.set(principal, number)
    }
    return number
  }
}

/** Waits for the result of another, as long as this one's client is there. */
function outcomeFor(x: Exchange, flight: Promise<Outcome>): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    x.whenGone((stopped) => reject(stopped ?? clientGone()))
    void flight.then(resolve)
  })
}

/** What stands beside the result. */
function adopt(context: OperationContext, of: OperationContext): void {
  const { x } = context
  x.attributes['graphql.shared'] = 1
  context.faults.push(...of.faults)
  if (of.subgraphExtensions !== undefined) context.subgraphExtensions = of.subgraphExtensions
  ReplyParts.adopt(x, of.x)
}

const requestNames = new Set(['traceparent', 'tracestate', 'x-request-id', 'content-length'])
/** Characters of variables; more are hardly ever the same. */
const maxShared = 65_536
