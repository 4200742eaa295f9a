import { type Exchange, Slot } from '../../../../core/exchange.ts'
import { scalarText, valueAt } from '../../../../core/json-value.ts'
import type { ResolvedKind } from '../../../../core/resolved-value.ts'
import type { Place, ValueName, ValueReader } from '../../../../core/text-template.ts'
import { unfitValue } from '../../../../core/unfit-value.ts'
import { memberAt, type Renames } from './entity.ts'

/** What the texts of a resolver are filled from. */
export interface Origin {
  /** Arguments of the field. */
  readonly args: Readonly<Record<string, unknown>>
  /** The objects that the field belongs to: one, or all of a batch. */
  readonly objects: readonly unknown[]
}

/**
 * Where the origin of the texts that are being made is kept. Calls of one exchange run side by side, but their texts are made one after
 * another, each at once: whoever makes some sets it before.
 */
export const originSlot = new Slot<Origin>('origin')

/** What may be named in the texts of one resolver. */
export interface ResolverScope {
  /** Arguments of its field. */
  readonly args: readonly string[]
  /** Whether it belongs to an object: all but those of the roots. */
  readonly hasObject: boolean
  /** Of its object. */
  readonly renames: Renames
  /** `Query.book` */
  readonly name: string
}

/** The place of the texts of a resolver: besides the usual values, arguments and members of the object. */
export class ResolverPlace implements Place {
  readonly protocol = 'graphql'
  readonly credentialHeaders: ReadonlySet<string>
  readonly #scope: ResolverScope

  constructor(credentialHeaders: ReadonlySet<string>, scope: ResolverScope) {
    this.credentialHeaders = credentialHeaders
    this.#scope = scope
  }

  variable(): undefined {
    return undefined
  }

  own({ kind, key }: ValueName): ValueReader | undefined {
    if (kind !== 'args' && kind !== 'this' && kind !== 'batch') return undefined
    const way = key.split('.')
    const problem = this.#problem(kind, way[0] ?? '')
    if (problem !== undefined) throw new Error(problem)
    const json = readers[kind](way, this.#scope.renames)
    return { json, read: (x) => plainText(`${kind}.${key}`, json(x)) }
  }

  #problem(kind: ResolvedKind, first: string): string | undefined {
    const { args, hasObject, name } = this.#scope
    if (kind !== 'args')
      return hasObject ? undefined : `${name} belongs to no object, so there is no "${kind}"`
    if (args.includes(first)) return undefined
    return `${name} has no argument "${first}"${args.length === 0 ? '' : ` (it has: ${args.join(', ')})`}`
  }
}

type Read = (x: Exchange) => unknown

const readers: Readonly<Record<ResolvedKind, (way: readonly string[], renames: Renames) => Read>> = {
  args: (way) => (x) => valueAt(x.get(originSlot)?.args, way),
  // Null is as good as missing.
  this: (way, renames) => (x) => memberAt(x.get(originSlot)?.objects[0], way, renames) ?? undefined,
  batch: (way, renames) => (x) => x.get(originSlot)?.objects.map((object) => memberAt(object, way, renames)),
}

/** A value as text, a list joined by commas. Throws for an item that would be read as several, and for what has no one spelling. */
function plainText(name: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined
  if (!Array.isArray(value)) {
    const text = scalarText(value)
    if (text === undefined) throw unfitValue(name, 'is no text, number or boolean')
    return text
  }
  const items = value.map((item) => scalarText(item))
  if (items.some((item) => item === undefined || item.includes(',')))
    throw unfitValue(name, 'cannot stand in a list')
  return items.join(',')
}
