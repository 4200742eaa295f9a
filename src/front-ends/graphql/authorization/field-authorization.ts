import { createHash } from 'node:crypto'
import { type DocumentNode, type GraphQLSchema, Kind, type OperationDefinitionNode } from 'graphql'
import type { Exchange } from '../../../core/exchange.ts'
import type { Principal } from '../../../core/principal.ts'
import type { Reason } from '../../../core/reason.ts'
import { BoundedMap } from '../bounded-map.ts'
import type { KnownOperation } from '../operation.ts'
import { type Condition, isMet, type Policies, reasonOf } from './condition.ts'
import { conditionsOf } from './conditions-of.ts'
import type { FieldConditions } from './field-conditions.ts'
import { type FilteredOperation, filterOperation } from './filter-operation.ts'

/** What is left of an operation for one caller. */
export interface Permitted extends FilteredOperation {
  readonly operation: KnownOperation
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
  permitted(operation: KnownOperation, x: Exchange): Permitted | undefined {
    const asked = this.#conditionsOf(operation)
    if (asked.length === 0) return undefined
    const { policies } = this.#options
    const unmet: number[] = []
    for (const index of asked) if (!isMet(this.condition(index), x, policies)) unmet.push(index)
    return unmet.length === 0 ? undefined : this.#without(operation, unmet)
  }

  reason(condition: number, principal: Principal | undefined): Reason {
    return reasonOf(this.condition(condition), principal)
  }

  condition(index: number): Condition {
    return this.#options.conditions[index] ?? { kind: 'authenticated' }
  }

  #conditionsOf({ document, node }: KnownOperation): readonly number[] {
    const known = this.#asked.get(node)
    if (known !== undefined) return known
    const { schema, fields } = this.#options
    const found = conditionsOf(document, node, { schema, fields })
    this.#asked.set(node, found)
    return found
  }

  #without(operation: KnownOperation, unmet: readonly number[]): Permitted {
    const key = `${operation.hash} ${unmet}`
    const known = this.#permitted.get(key)
    if (known !== undefined) return known
    const { schema, fields } = this.#options
    const { document, node } = operation
    const filtered = filterOperation(document, node, { schema, conditions: fields, unmet: new Set(unmet) })
    const permitted = { ...filtered, operation: withDocument(operation, filtered.document, key) }
    if ((document.loc?.end ?? 0) <= maxRemembered) this.#permitted.set(key, permitted)
    return permitted
  }
}

function withDocument(operation: KnownOperation, document: DocumentNode, key: string): KnownOperation {
  const node = document.definitions.find(
    (one): one is OperationDefinitionNode =>
      one.kind === Kind.OPERATION_DEFINITION && (one.name?.value ?? '') === operation.name,
  )
  if (node === undefined) throw new Error('A filtered document has lost its operation.')
  return { ...operation, node, document, hash: createHash('sha256').update(key).digest('hex') }
}

const maxRemembered = 16_384
