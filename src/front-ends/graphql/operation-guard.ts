import type { DocumentNode, GraphQLError, OperationDefinitionNode } from 'graphql'
import { chargeOperation } from '../../core/request-cost.ts'
import type { FieldAuthorization, Permitted } from './authorization/field-authorization.ts'
import { askedGaps, fillGaps, type Refused } from './authorization/fill-gaps.ts'
import { type Challenge, fieldError, operationRefused } from './authorization/refusal.ts'
import { CostExceeded } from './cost/cost-exceeded.ts'
import { type CostOptions, operationCost } from './cost/operation-cost.ts'
import { Variables } from './inclusion.ts'
import type { OperationContext } from './subgraph-source.ts'

/** What is done with operations that ask for fields which the caller is refused. */
export interface RefusalOptions {
  /** `filter`: those fields are null, the rest is answered; of mutations nothing is run. `refuse`: nothing is run. */
  readonly onRefused: 'filter' | 'refuse'
  /** Where a filtered answer names what is refused: among its errors, in its extensions, or nowhere. */
  readonly errors: 'errors' | 'extensions' | 'none'
  /** Only the log says what would be refused. */
  readonly reportOnly: boolean
  readonly challenge: Challenge
}

/** What {@link OperationGuard} decides by. */
export interface OperationGuardOptions extends RefusalOptions {
  /** Undefined: the supergraph asks nobody for anything. */
  readonly authorization: FieldAuthorization | undefined
  readonly cost: CostOptions
  /** Undefined: an operation may cost anything. */
  readonly maxCost: number | undefined
}

/** A valid operation with the request that it came in, as Apollo Gateway executes it. */
export interface ExecutionRequest {
  readonly request: { readonly variables?: Record<string, unknown> }
  readonly document: DocumentNode
  readonly operation: OperationDefinitionNode
  readonly queryHash: string
  readonly context: OperationContext
}

/** What an execution came to. */
export interface ExecutionAnswer {
  data?: Record<string, unknown> | null
  errors?: readonly GraphQLError[]
  extensions?: Record<string, unknown>
}

/**
 * Stands before every execution of an operation that is valid: what it costs, whether the caller may have what it asks for, and what it is charged.
 * Apollo plans and runs what is left of it.
 */
export class OperationGuard {
  readonly #options: OperationGuardOptions
  /** Of operations that have no variables. */
  readonly #costs = new WeakMap<OperationDefinitionNode, number>()

  constructor(options: OperationGuardOptions) {
    this.#options = options
  }

  /** Throws (or rejects with) a GatewayError when the operation is not to be run. */
  async execute<R extends ExecutionRequest>(
    execution: R,
    run: (execution: R) => Promise<ExecutionAnswer>,
  ): Promise<ExecutionAnswer> {
    const { x } = execution.context
    // A stored operation is the gateway's own: its route is charged as any other.
    const charge = execution.context.limits === undefined ? x.get(chargeOperation) : undefined
    const cost = charge === undefined && this.#options.maxCost === undefined ? 0 : this.#costOf(execution)
    const permitted = this.#permitted(execution)
    const charging = charge?.({ name: execution.operation.name?.value ?? '', cost })
    if (charging !== undefined) await charging
    if (permitted === undefined) return run(execution)
    const answer = await run({ ...execution, document: permitted.document, queryHash: permitted.queryHash })
    if (!answer.data) return answer
    const { data, refused } = fillGaps(answer.data, permitted, variablesOf(execution))
    if (refused.length > 0) x.attributes[refusedFields] = named(refused)
    return this.#told({ ...answer, data }, refused, execution)
  }

  /** Throws a GatewayError when nothing of the operation is to be run; undefined: all of it is. */
  #permitted(execution: ExecutionRequest): Permitted | undefined {
    const { authorization, onRefused, reportOnly } = this.#options
    if (authorization === undefined) return undefined
    const { x } = execution.context
    const permitted = authorization.permitted(execution, x)
    if (permitted === undefined) return undefined
    if (onRefused === 'filter' && !reportOnly && execution.operation.operation !== 'mutation')
      return permitted
    const asked = askedGaps(permitted.gaps, variablesOf(execution))
    if (asked.length > 0) x.attributes[refusedFields] = named(asked)
    if (reportOnly) return undefined
    if (asked.length === 0) return permitted
    const { challenge } = this.#options
    throw operationRefused(asked, { principal: x.principal, authorization, challenge })
  }

  /** A route that runs a stored operation has its own words for errors: it is always told. */
  #told(
    answer: ExecutionAnswer,
    refused: readonly Refused[],
    { context }: ExecutionRequest,
  ): ExecutionAnswer {
    const { authorization, challenge } = this.#options
    const isStored = context.limits !== undefined
    const where = isStored ? 'errors' : this.#options.errors
    if (refused.length === 0 || authorization === undefined) return answer
    const caller = { principal: context.x.principal, authorization, challenge }
    if (isStored) for (const one of firstOfEach(refused)) context.faults.push(operationRefused([one], caller))
    if (where === 'none') return answer
    const errors = refused.map((one) => fieldError(one, caller))
    if (where === 'errors') return { ...answer, errors: [...(answer.errors ?? []), ...errors] }
    return { ...answer, extensions: { ...answer.extensions, authorizationErrors: errors } }
  }

  /** Throws CostExceeded when it is too much. */
  #costOf({ document, operation, request, context }: ExecutionRequest): number {
    const { maxCost } = this.#options
    let cost = this.#costs.get(operation)
    if (cost === undefined) {
      cost = operationCost(document, operation, { ...this.#options.cost, variables: request.variables })
      if (!operation.variableDefinitions?.length) this.#costs.set(operation, cost)
    }
    context.x.attributes['graphql.operation.cost'] = cost
    if (maxCost !== undefined && cost > maxCost) throw new CostExceeded(cost, maxCost)
    return cost
  }
}

function variablesOf({ request, operation }: ExecutionRequest): Variables {
  return new Variables(request.variables, operation)
}

/** In the log: the fields, not the values. */
const refusedFields = 'graphql.refused_fields'

function named(refused: readonly Refused[]): string {
  const fields = firstOfEach(refused).map(({ field }) => field)
  return fields.slice(0, 10).join(',').slice(0, 500)
}

function firstOfEach(refused: readonly Refused[]): Refused[] {
  return [...new Map(refused.toReversed().map((one) => [one.field, one])).values()].reverse()
}
