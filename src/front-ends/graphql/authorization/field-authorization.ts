import { createHash } from 'node:crypto'
import type { DocumentNode, GraphQLSchema, OperationDefinitionNode } from 'graphql'
import type { Exchange } from '../../../core/exchange.ts'
import type { Principal } from '../../../core/principal.ts'
import type { Reason } from '../../../core/reason.ts'
import { BoundedMap } from '../bounded-map.ts'
import { type Condition, isMet, type Policies, reasonOf } from './condition.ts'
import { conditionsOf } from './conditions-of.ts'
import type { FieldConditions } from './field-conditions.ts'
import { type FilteredOperation, filterOperation } from './filter-operation.ts'

/** An operation as Apollo hands it over: parsed and valid. */
export interface ValidDocument {
  readonly document: DocumentNode
  readonly operation: OperationDefinitionNode
  /** SHA-256 of the text. */
  readonly queryHash: string
}

/** What is left of an operation for one caller. */
export interface Permitted extends FilteredOperation {
  /** Of this document; no other text has it. */
  readonly queryHash: string
}

/** What {@link FieldAuthorization} decides by. */
export interface FieldAuthorizationOptions {
  readonly schema: GraphQLSchema
  readonly conditions: readonly Condition[]
  readonly fields: FieldConditions
  readonly policies: Policies
}

/**
 * Which fields of an operation a caller is refused. What an operation asks is found out once, and the filtered documents are kept: 1,000 of
 * all operations and kinds of callers together, of operations of at most 16 kB.
 */
export class FieldAuthorization {
  readonly #options: FieldAuthorizationOptions
  readonly #asked = new WeakMap<OperationDefinitionNode, readonly number[]>()
  readonly #permitted = new BoundedMap<string, Permitted>(1_000)

  constructor(options: FieldAuthorizationOptions) {
    this.#options = options
  }

  /** Undefined: all of it. */
  permitted(valid: ValidDocument, x: Exchange): Permitted | undefined {
    const asked = this.#conditionsOf(valid)
    if (asked.length === 0) return undefined
    const { policies } = this.#options
    const unmet: number[] = []
    for (const index of asked) if (!isMet(this.condition(index), x, policies)) unmet.push(index)
    return unmet.length === 0 ? undefined : this.#without(valid, unmet)
  }

  reason(condition: number, principal: Principal | undefined): Reason {
    return reasonOf(this.condition(condition), principal)
  }

  condition(index: number): Condition {
    return this.#options.conditions[index] ?? { kind: 'authenticated' }
  }

  #conditionsOf({ document, operation }: ValidDocument): readonly number[] {
    const known = this.#asked.get(operation)
    if (known !== undefined) return known
    const { schema, fields } = this.#options
    const found = conditionsOf(document, operation, { schema, fields })
    this.#asked.set(operation, found)
    return found
  }

  #without({ document, operation, queryHash }: ValidDocument, unmet: readonly number[]): Permitted {
    const key = `${queryHash} ${operation.name?.value ?? ''} ${unmet}`
    const known = this.#permitted.get(key)
    if (known !== undefined) return known
    const { schema, fields } = this.#options
    const filtered = filterOperation(document, operation, {
      schema,
      conditions: fields,
      unmet: new Set(unmet),
    })
    const permitted = { ...filtered, queryHash: createHash('sha256').update(key).digest('hex') }
    if ((document.loc?.end ?? 0) <= maxRemembered) this.#permitted.set(key, permitted)
    return permitted
  }
}

const maxRemembered = 16_384
