import type { GraphQLFormattedError } from 'graphql'
import { GatewayError } from '../../../core/error.ts'
import type { SubgraphData } from '../subgraphs/subgraph.ts'
import { failed } from './absent.ts'
import type { Ask } from './ask.ts'
import { type DataObject, isObject, own } from './data-object.ts'
import { beforeLists, type Trail, trailsAt } from './data-path.ts'
import { errorOf, reportFailure } from './fetch-errors.ts'
import { copyOf, markFailed, markUnfetched, merge } from './merge.ts'
import type { PlannedFetch } from './planned-fetch.ts'
import type { RepresentationWriter } from './representations.ts'
import type { Run } from './run.ts'

/** Fields of entities that the data has; entities that look the same to the subgraph are asked for once. */
export class EntityAsk implements Ask {
  readonly fetch: PlannedFetch
  readonly #run: Run
  readonly shared: readonly string[]
  readonly #context: readonly string[]
  readonly #targets: DataObject[] = []
  /** By target, the index of its representation. */
  readonly #indexes: number[] = []
  readonly #representations = new Map<string, number>()
  /** By type and value of the sole key, the index of the representation. */
  readonly #values = new Map<string, Map<unknown, number>>()
  #trails: Map<DataObject, Trail> | undefined

  constructor(
    fetch: PlannedFetch,
    run: Run,
    { shared, context }: { readonly shared: readonly string[]; readonly context: readonly string[] },
  ) {
    this.fetch = fetch
    this.shared = shared
    this.#run = run
    this.#context = context
  }

  get isEmpty(): boolean {
    return this.#targets.length === 0
  }

  /** Takes an entity in; one that cannot be asked for is left out. */
  add(target: DataObject, writer: RepresentationWriter): void {
    const typename = own(target, '__typename')
    const soleKey = typeof typename === 'string' ? writer.soleKey(typename) : undefined
    const value = soleKey === undefined ? undefined : own(target, soleKey)
    // What is known by its type and one value is not written to be told from others.
    const known =
      typeof value === 'string' || typeof value === 'number' ? this.#ofType(typename as string) : undefined
    let index = known?.get(value)
    if (index === undefined) {
      const representation = writer.write(target)
      if (representation === failed) markUnfetched(target, this.fetch.shape)
      if (typeof representation !== 'string') return
      index = this.#representations.get(representation) ?? this.#representations.size
      this.#representations.set(representation, index)
      known?.set(value, index)
    }
    this.#targets.push(target)
    this.#indexes.push(index)
  }

  #ofType(typename: string): Map<unknown, number> {
    let values = this.#values.get(typename)
    if (values === undefined) {
      values = new Map()
      this.#values.set(typename, values)
    }
    return values
  }

  own(suffix: string): string[] {
    const representations = `"representations${suffix}":[${[...this.#representations.keys()].join(',')}]`
    const context =
      suffix === '' ? this.#context : this.#context.map((member) => member.replace('":', `${suffix}":`))
    return [...context, representations]
  }

  accept({ data, errors }: SubgraphData): void {
    const { fetch } = this
    const entities = this.#entitiesOf(data, errors)
    const unexplained = errors.length === 0 ? noIndexes : this.#report(entities, errors)
    if (entities === undefined) {
      for (const target of this.#targets) markUnfetched(target, fetch.shape)
      return
    }
    if (fetch.rewrite !== undefined)
      for (const entity of entities) if (isObject(entity)) fetch.rewrite(entity)
    const placed = new Set<number>()
    for (let i = 0; i < this.#targets.length; i++) {
      const target = this.#targets[i] as DataObject
      const index = this.#indexes[i] as number
      const entity = entities[index]
      if (isObject(entity)) merge(target, placed.has(index) ? copyOf(entity, fetch.shape) : entity, fetch)
      else if (unexplained.has(index)) markUnfetched(target, fetch.shape)
      placed.add(index)
    }
  }

  fail(error: GatewayError): void {
    reportFailure(error, this.#run, { fetch: this.fetch, targets: this.#targets })
  }

  /** Undefined: the errors say why there are none. */
  #entitiesOf(data: SubgraphData['data'], errors: SubgraphData['errors']): unknown[] | undefined {
    const entities = data?._entities
    if (Array.isArray(entities) && entities.length === this.#representations.size) return entities
    if (errors.length > 0 && (entities === null || entities === undefined)) return undefined
    const { name, anonymous = false } = this.fetch.subgraph
    const who = anonymous ? 'A subgraph' : `Upstream "${name}"`
    throw new GatewayError('UPSTREAM_BAD_ANSWER', `${who} answered with other entities than asked for.`)
  }

  /** Returns the entities whose absence the errors explain. */
  #report(entities: readonly unknown[] | undefined, errors: readonly GraphQLFormattedError[]): Set<number> {
    const { fetch } = this
    const explained = new Set<number>()
    for (const error of errors) {
      const [field, index, ...rest] = error.path ?? []
      const told = errorOf(error, fetch.subgraph)
      if (field !== '_entities' || typeof index !== 'number' || index >= this.#representations.size) {
        for (let i = 0; i < this.#representations.size; i++) explained.add(i)
        this.#run.errors.push({ error: told, path: beforeLists(fetch.path), isExact: false })
        continue
      }
      explained.add(index)
      const entity = entities?.[index]
      if (isObject(entity)) markFailed(entity, rest)
      const within = rest.map((part) => fetch.renamed.get(String(part)) ?? part)
      for (const place of this.#places(index)) {
        this.#run.errors.push({ error: told, path: [...place, ...within], isExact: rest.length > 0 })
      }
    }
    return explained
  }

  /** Where the entity of that representation is in the data. */
  #places(index: number): (readonly (string | number)[])[] {
    this.#trails ??= trailsAt(this.#run.data, this.fetch.path)
    return this.#targets.flatMap((target, i) =>
      this.#indexes[i] === index ? [this.#trails?.get(target)?.path ?? beforeLists(this.fetch.path)] : [],
    )
  }
}

const noIndexes: ReadonlySet<number> = new Set()
