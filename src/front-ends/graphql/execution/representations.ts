import type { QueryPlanFieldNode, QueryPlanSelectionNode } from '@apollo/query-planner'
import { failed, unfetched } from './absent.ts'
import { type DataObject, own } from './data-object.ts'
import type { Rewrite } from './rewrites.ts'
import type { TypeConditions } from './type-conditions.ts'

/**
 * What a subgraph is told of an entity, as JSON text. Undefined: the data has not all that it takes; `failed`: the same, because of an
 * error that is reported.
 */
export type Representation = string | undefined | typeof failed

/** Writes what the `requires` of a fetch say of entities. */
export class RepresentationWriter {
  readonly #writer: ObjectWriter
  readonly #rewrite: Rewrite | undefined

  constructor(
    requires: readonly QueryPlanSelectionNode[],
    { types, rewrite }: { readonly types: TypeConditions; readonly rewrite: Rewrite | undefined },
  ) {
    this.#writer = new ObjectWriter(requires, types)
    this.#rewrite = rewrite
  }

  /** The one field whose value says which entity of its type it is; undefined: there is more to it. */
  soleKey(typename: string): string | undefined {
    return this.#writer.of(typename).soleKey
  }

  write(entity: DataObject): Representation {
    const typename = own(entity, '__typename')
    if (typename === failed || typename === unfetched) return failed
    // Without its type no subgraph can tell which entity it is.
    if (typeof typename !== 'string' || !this.#writer.of(typename).saysType) return undefined
    const text = this.#writer.write(entity)
    if (this.#rewrite === undefined || typeof text !== 'string') return text
    const object: DataObject = JSON.parse(text)
    this.#rewrite(object)
    return JSON.stringify(object)
  }
}

/** Writes what selections ask of an object; which fields these are depends on its type. */
class ObjectWriter {
  readonly #selections: readonly QueryPlanSelectionNode[]
  readonly #types: TypeConditions
  readonly #byType = new Map<string, WrittenType>()
  // Most often the next object is of the same type.
  #lastName: string | undefined
  #last: WrittenType = nothing

  constructor(selections: readonly QueryPlanSelectionNode[], types: TypeConditions) {
    this.#selections = selections
    this.#types = types
  }

  write(object: DataObject): Representation {
    const typename = own(object, '__typename')
    const { fields } = this.of(typeof typename === 'string' ? typename : '')
    let text = '{'
    for (let i = 0; i < fields.length; i++) {
      const { key, member, nested, isWhole } = fields[i] as WrittenField
      if (isWhole) {
        text += member
        continue
      }
      const written = writeValue(own(object, key), nested)
      if (typeof written !== 'string') return written
      text += member + written
    }
    return `${text}}`
  }

  of(typename: string): WrittenType {
    if (typename === this.#lastName) return this.#last
    // Names that a subgraph made up are not remembered.
    const name = this.#types.isKnown(typename) ? typename : ''
    let type = this.#byType.get(name)
    if (type === undefined) {
      type = this.#compile(name)
      this.#byType.set(name, type)
    }
    this.#lastName = name === typename ? name : undefined
    this.#last = type
    return type
  }

  #compile(typename: string): WrittenType {
    const selected = new Map<string, QueryPlanSelectionNode[] | undefined>()
    this.#select(this.#selections, typename, selected)
    const fields = [...selected].map(([key, selections], index) => {
      const isWhole = key === '__typename' && typename !== ''
      const member = `${index === 0 ? '' : ','}${JSON.stringify(key)}:${isWhole ? `"${typename}"` : ''}`
      const nested = selections === undefined ? undefined : new ObjectWriter(selections, this.#types)
      return { key, member, nested, isWhole }
    })
    const saysType = selected.has('__typename')
    const [sole, ...others] = fields.filter(({ key }) => key !== '__typename')
    const isSole = saysType && others.length === 0 && sole?.nested === undefined
    return { fields, saysType, soleKey: isSole ? sole?.key : undefined }
  }

  #select(
    selections: readonly QueryPlanSelectionNode[],
    typename: string,
    selected: Map<string, QueryPlanSelectionNode[] | undefined>,
  ): void {
    for (const node of selections) {
      if (node.kind === 'Field') {
        const key = responseKey(node)
        const nested =
          node.selections === undefined ? undefined : [...(selected.get(key) ?? []), ...node.selections]
        selected.set(key, nested)
      } else if (node.typeCondition === undefined || this.#types.meets(typename, node.typeCondition)) {
        this.#select(node.selections, typename, selected)
      }
    }
  }
}

interface WrittenType {
  readonly fields: readonly WrittenField[]
  readonly saysType: boolean
  readonly soleKey: string | undefined
}

const nothing: WrittenType = { fields: [], saysType: false, soleKey: undefined }

interface WrittenField {
  readonly key: string
  /** `"id":`, behind a comma where it is not the first. */
  readonly member: string
  readonly nested: ObjectWriter | undefined
  /** Whether its value, which is always the same for the type, is in the member. */
  readonly isWhole: boolean
}

function responseKey({ alias, name }: QueryPlanFieldNode): string {
  return alias ?? name
}

function writeValue(value: unknown, nested: ObjectWriter | undefined): Representation {
  if (value === undefined) return undefined
  if (typeof value === 'symbol') return failed
  if (typeof value === 'number' && Number.isFinite(value)) return `${value}`
  if (nested === undefined || typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (!Array.isArray(value)) return nested.write(value as DataObject)
  let text = ''
  for (let i = 0; i < value.length; i++) {
    const written = writeValue(value[i], nested)
    if (typeof written !== 'string') return written
    text += i === 0 ? written : `,${written}`
  }
  return `[${text}]`
}
