import { Kind, type OperationDefinitionNode } from 'graphql'
import { chargeOperation } from '../../core/request-cost.ts'
import type { FieldAuthorization, Permitted } from './authorization/field-authorization.ts'
import { askedGaps, fillGaps, type Refused } from './authorization/fill-gaps.ts'
import { type Challenge, fieldError, operationRefused } from './authorization/refusal.ts'
import { CostExceeded } from './cost/cost-exceeded.ts'
import { type CostOptions, operationCost } from './cost/operation-cost.ts'
import { Variables } from './inclusion.ts'
import type { Execution, KnownOperation, OperationResult } from './operation.ts'

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

/** What is left to run of an execution, and what is to be done with each of its results; undefined: nothing. */
export interface Admitted {
  readonly execution: Execution
  readonly complete: ((result: OperationResult) => OperationResult) | undefined
}

/**
 * Stands before every execution of an operation that is valid: what it costs, whether the caller may have what it asks for, and what it is charged.
 * What is left of it is planned and run.
 */
export class OperationGuard {
  readonly #options: OperationGuardOptions
  /** Of operations that have no variables. */
  readonly #costs = new WeakMap<OperationDefinitionNode, number>()

  constructor(options: OperationGuardOptions) {
    this.#options = options
  }

  /** Rejects with a GatewayError when the operation is not to be run. */
  async admit(execution: Execution): Promise<Admitted> {
    const { operation, context } = execution
    const { x, limits } = context
    // A stored operation is the gateway's own: its route is charged as any other.
    const charge = limits === undefined ? x.get(chargeOperation) : undefined
    const cost = charge === undefined && this.#options.maxCost === undefined ? 0 : this.#notedCost(execution)
    const permitted = this.#permitted(execution)
    const charging = charge?.({ name: operation.name, cost })
    if (charging !== undefined) await charging
    if (permitted === undefined) return { execution, complete: undefined }
    return {
      execution: { ...execution, operation: permitted.operation },
      complete: (result) => this.#complete(result, permitted, execution),
    }
  }

  /** Charges one event of an operation that was admitted as much as the operation costs. Rejects with a GatewayError. */
  chargeEvent(execution: Execution): void | Promise<void> {
    const charge = execution.context.x.get(chargeOperation)
    return charge?.({ name: execution.operation.name, cost: this.#costOf(execution), again: true })
  }

  #complete(result: OperationResult, permitted: Permitted, execution: Execution): OperationResult {
    if (result.data === undefined || result.data === 'null') return result
    const { data, refused } = fillGaps(JSON.parse(result.data), permitted, variablesOf(execution))
    if (refused.length > 0) execution.context.x.attributes[refusedFields] = named(refused)
    return this.#told({ ...result, data: JSON.stringify(data) }, refused, execution)
  }

  /** Throws a GatewayError when nothing of the operation is to be run; undefined: all of it is. */
  #permitted(execution: Execution): Permitted | undefined {
    const { authorization, onRefused, reportOnly } = this.#options
    if (authorization === undefined) return undefined
    const { x } = execution.context
    const permitted = authorization.permitted(execution.operation, x)
    if (permitted === undefined) return undefined
    if (onRefused === 'filter' && !reportOnly && mayBePart(permitted.operation)) return permitted
    const asked = askedGaps(permitted.gaps, variablesOf(execution))
    if (asked.length > 0) x.attributes[refusedFields] = named(asked)
    if (reportOnly) return undefined
    if (asked.length === 0) return permitted
    const { challenge } = this.#options
    throw operationRefused(asked, { principal: x.principal, authorization, challenge })
  }

  /** A route that runs a stored operation has its own words for errors: it is always told. */
  #told(result: OperationResult, refused: readonly Refused[], { context }: Execution): OperationResult {
    const { authorization, challenge } = this.#options
    const isStored = context.limits !== undefined
    const where = isStored ? 'errors' : this.#options.errors
    if (refused.length === 0 || authorization === undefined) return result
    const caller = { principal: context.x.principal, authorization, challenge }
    if (isStored) for (const one of firstOfEach(refused)) context.faults.push(operationRefused([one], caller))
    if (where === 'none') return result
    const errors = refused.map((one) => fieldError(one, caller))
    if (where === 'errors') return { ...result, errors: [...result.errors, ...errors] }
    return { ...result, extensions: { ...result.extensions, authorizationErrors: errors } }
  }

  /** In the log: of a batch the sum. Throws CostExceeded when it is too much. */
  #notedCost(execution: Execution): number {
    const { maxCost } = this.#options
    const { attributes } = execution.context.x
    const cost = this.#costOf(execution)
    attributes[operationCostName] = Number(attributes[operationCostName] ?? 0) + cost
    if (maxCost !== undefined && cost > maxCost) throw new CostExceeded(cost, maxCost)
    return cost
  }

  #costOf({ operation, variables }: Execution): number {
    let cost = this.#costs.get(operation.node)
    if (cost === undefined) {
      cost = operationCost(operation.document, operation.node, { ...this.#options.cost, variables })
      if (!operation.node.variableDefinitions?.length) this.#costs.set(operation.node, cost)
    }
    return cost
  }
}

/** A mutation is run whole or not at all; of a subscription the one field must be left. */
function mayBePart({ type, node }: KnownOperation): boolean {
  if (type === 'query') return true
  const { selections } = node.selectionSet
  return (
    type === 'subscription' &&
    selections.some((one) => one.kind !== Kind.FIELD || one.name.value !== '__typename')
  )
}

function variablesOf({ variables, operation }: Execution): Variables {
  return new Variables(variables, operation.node)
}

const operationCostName = 'graphql.operation.cost'

/** In the log: the fields, not the values. */
const refusedFields = 'graphql.refused_fields'

function named(refused: readonly Refused[]): string {
  const fields = firstOfEach(refused).map(({ field }) => field)
  return fields.slice(0, 10).join(',').slice(0, 500)
}

function firstOfEach(refused: readonly Refused[]): Refused[] {
  return [...new Map(refused.toReversed().map((one) => [one.field, one])).values()].reverse()
}
