import {
  type DocumentNode,
  type GraphQLFormattedError,
  type GraphQLObjectType,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  parse,
  visit,
} from 'graphql'
import { BoundedMap } from '../bounded-map.ts'
import { fragmentsOf } from '../fragments.ts'
import { inclusionOf, Variables } from '../inclusion.ts'
import type { KnownOperation, OperationResult } from '../operation.ts'
import type { Plan } from '../planning/plan.ts'
import { ClientPaths } from './client-paths.ts'
import type { DataObject } from './data-object.ts'
import { type Introspecting, introspect } from './introspection.ts'
import { compileObject } from './projection.ts'
import type { Run } from './run.ts'
import type { Write, Writing } from './writing.ts'

/** Writes what a run fetched as the answer to its operation. */
export class AnswerWriter {
  readonly #schema: GraphQLSchema
  readonly #type: GraphQLObjectType
  readonly #document: DocumentNode
  readonly #operation: OperationDefinitionNode
  readonly #responseKeys: ReadonlyMap<string, string>
  readonly #paths: ClientPaths
  readonly #introspecting: Introspecting
  /** The variables that say what is skipped. */
  readonly #conditions: readonly string[]
  /** By the values of these. */
  readonly #projections = new BoundedMap<string, Write>(16)

  constructor(plan: Plan, operation: KnownOperation, schema: GraphQLSchema) {
    const type = schema.getRootType(operation.node.operation)
    if (type === undefined || type === null) throw new Error(`The schema has no ${operation.type}.`)
    this.#schema = schema
    this.#type = type
    this.#document =
      plan.document === undefined ? operation.document : parse(plan.document, { noLocation: true })
    const planned = this.#document.definitions.find(({ kind }) => kind === Kind.OPERATION_DEFINITION)
    this.#operation = plan.document === undefined ? operation.node : (planned as OperationDefinitionNode)
    this.#responseKeys = new Map(Object.entries(plan.responseKeys))
    this.#paths = new ClientPaths(this.#operation.selectionSet, {
      schema,
      fragments: fragmentsOf(this.#document),
      responseKeys: this.#responseKeys,
    })
    this.#conditions = conditionsOf(this.#document)
    this.#introspecting = { schema, operation: this.#operation, document: this.#document }
  }

  write(run: Run): OperationResult {
    const errors = run.errors.length === 0 ? [] : this.told(run)
    return this.#write(this.#projection(run.variables), { run, object: run.data, path: [], errors })
  }

  /** Writes a part of the answer: what `write` makes of an object that stands at a path. */
  writePart(
    write: Write,
    of: { readonly run: Run; readonly object: DataObject; readonly path: readonly (string | number)[] },
  ): OperationResult {
    return this.#write(write, { ...of, errors: [] })
  }

  #write(
    write: Write,
    {
      run,
      object,
      path,
      errors,
    }: {
      readonly run: Run
      readonly object: DataObject
      readonly path: readonly (string | number)[]
      readonly errors: GraphQLFormattedError[]
    },
  ): OperationResult {
    const writing: Writing = {
      path: [...path],
      errors,
      introspect: (fields) => introspect(fields, this.#introspecting, run.execution.variables),
    }
    return { data: write(object, writing) ?? 'null', errors }
  }

  #projection(variables: Variables): Write {
    const values = this.#conditions.map((name) => variables.get(name) === true)
    const key = values.join()
    let projection = this.#projections.get(key)
    if (projection === undefined) {
      // Not those of the run, which may be large: parts of the projection are compiled later, and look at them again.
      const kept = Object.fromEntries(this.#conditions.map((name, index) => [name, values[index]]))
      projection = compileObject([this.#operation.selectionSet], this.#type, {
        schema: this.#schema,
        fragments: fragmentsOf(this.#document),
        variables: new Variables(kept, this.#operation),
        responseKeys: this.#responseKeys,
      })
      this.#projections.set(key, projection)
    }
    return projection
  }

  /**
   * One field has one error (GraphQL specification section 6.4.4), though two subgraphs may have failed at their parts of it. What is told
   * at another place than its own, because clients do not see that, is told there once.
   */
  told({ errors, data }: Run): GraphQLFormattedError[] {
    const fields = new Set<string>()
    const places = new Map<GraphQLFormattedError, Set<string>>()
    return errors.flatMap(({ error, path, isExact }) => {
      const known = this.#paths.of(path, data)
      if (known === undefined) return []
      const place = known.join()
      let told = fields
      if (!isExact || known.length < path.length) {
        told = places.get(error) ?? new Set()
        places.set(error, told)
      }
      if (told.has(place)) return []
      told.add(place)
      const { message, extensions } = error
      return known.length === 0 ? error : { message, path: known, ...(extensions && { extensions }) }
    })
  }
}

function conditionsOf(document: DocumentNode): string[] {
  const names = new Set<string>()
  const note = (node: Parameters<typeof inclusionOf>[0]): void => {
    for (const { variable } of inclusionOf(node) ?? []) if (variable !== undefined) names.add(variable)
  }
  visit(document, { Field: note, InlineFragment: note, FragmentSpread: note })
  return [...names]
}
