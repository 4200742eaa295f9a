import { GatewayError } from '../../../../core/error.ts'
import { scalarText, valueAt } from '../../../../core/json-value.ts'
import { memberAt, noRenames, type Renames } from './entity.ts'
import { type NamedValue, namedValues } from './named-values.ts'
import type { BackendAnswer, BackendCall, ResolverOptions, ServiceCallOptions } from './resolver.ts'
import type { Origin } from './resolver-place.ts'
import { ServiceRefusal } from './service-refusal.ts'

/** The call of one resolver, compiled: how it is told apart from others, and what its answer means for each object. */
export class ServiceCall {
  /** `Query.book` */
  readonly name: string
  readonly send: BackendCall
  readonly batchSize: number
  /** Whether one call is made for many objects. */
  readonly isBatch: boolean
  /** Whether two calls with the same values are one: all but those of mutations. */
  readonly isShared: boolean
  readonly #options: ServiceCallOptions
  /** Whether an object has several items of the answer to a batch. */
  readonly #isList: boolean
  readonly #renames: Renames
  readonly #args: readonly NamedValue[]
  readonly #ofObject: readonly NamedValue[]
  readonly #ofBatch: readonly NamedValue[]

  constructor(
    { name, written }: ResolverOptions,
    options: ServiceCallOptions,
    {
      send,
      isShared,
      isList,
      renames,
    }: {
      readonly send: BackendCall
      readonly isShared: boolean
      readonly isList: boolean
      readonly renames: Renames
    },
  ) {
    const named = namedValues(written)
    this.name = name
    this.send = send
    this.isShared = isShared
    this.batchSize = options.batchSize ?? 100
    this.#options = options
    this.#isList = isList
    this.#renames = renames
    this.#args = named.filter(({ kind }) => kind === 'args')
    this.#ofObject = named.filter(({ kind }) => kind === 'this')
    this.#ofBatch = named.filter(({ kind }) => kind === 'batch')
    this.isBatch = this.#ofBatch.length > 0
  }

  /** What the texts come to but for the members of the objects in a batch: calls that are alike in it can be one. */
  groupOf(origin: Origin): string {
    const ofArgs = this.#args.map(({ way }) => valueAt(origin.args, way) ?? null)
    const ofObject = this.#ofObject.map(({ way }) => memberAt(origin.objects[0], way, this.#renames) ?? null)
    return JSON.stringify([ofArgs, ofObject])
  }

  /** Tells apart the objects of a batch. */
  memberOf(object: unknown): string {
    const match = this.#options.match ?? new Map()
    const ways = [...this.#ofBatch.map(({ way }) => way), ...[...match.values()].map((way) => way.split('.'))]
    return JSON.stringify(ways.map((way) => memberAt(object, way, this.#renames) ?? null))
  }

  /** The value of the only object of a call. Throws a ServiceRefusal, or a GatewayError. */
  valueOf(answer: BackendAnswer): unknown {
    const { at, nullIfNotFound } = this.#options
    if ('value' in answer) return valueAt(answer.value, at) ?? null
    if (answer.status === 404 && nullIfNotFound) return null
    throw new ServiceRefusal(answer)
  }

  /** The value for each object of a batch, in their order; an error where it has none. */
  valuesOf(answer: BackendAnswer, objects: readonly unknown[]): readonly unknown[] {
    const items = this.valueOf(answer)
    if (items === null && 'status' in answer) return objects.map(() => null)
    if (!Array.isArray(items)) throw this.#unfit('is no list')
    const { match } = this.#options
    if (match !== undefined) return this.#matched(items, objects, match)
    if (items.length !== objects.length)
      throw this.#unfit(`has ${items.length} items for ${objects.length} objects`)
    return items
  }

  #matched(
    items: readonly unknown[],
    objects: readonly unknown[],
    match: ReadonlyMap<string, string>,
  ): unknown[] {
    const ofItem = [...match.keys()].map((way) => way.split('.'))
    const ofObject = [...match.values()].map((way) => way.split('.'))
    const groups = Map.groupBy(items, (item) => keyOf(item, ofItem, noRenames))
    return objects.map((object) => {
      const found = groups.get(keyOf(object, ofObject, this.#renames)) ?? []
      if (this.#isList) return found
      if (found.length > 0 || this.#options.nullIfNotFound) return found[0] ?? null
      return new ServiceRefusal({ status: 404, message: `There is none for ${this.name}`, said: '' })
    })
  }

  #unfit(what: string): GatewayError {
    return new GatewayError('UPSTREAM_BAD_ANSWER', `The answer for ${this.name} ${what}.`)
  }
}

/** Whether an object lacks one of the values that nothing stands in for. */
export function lacksValue(named: readonly NamedValue[], object: unknown, renames: Renames): boolean {
  return named.some(
    ({ kind, way, required }) => kind !== 'args' && required && isMissing(memberAt(object, way, renames)),
  )
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === null
}

/** Ids are texts to some backends and numbers to others. */
function keyOf(object: unknown, ways: readonly (readonly string[])[], renames: Renames): string {
  return JSON.stringify(ways.map((way) => scalarText(memberAt(object, way, renames)) ?? null))
}
