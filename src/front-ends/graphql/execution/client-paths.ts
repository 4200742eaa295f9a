import {
  type FieldNode,
  type GraphQLObjectType,
  type GraphQLSchema,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from 'graphql'
import type { Fragments } from '../fragments.ts'
import { meetsCondition } from './collect-fields.ts'
import { type DataObject, isObject, own } from './data-object.ts'

/** Where clients see what is at a path of the data. */
export class ClientPaths {
  readonly #root: SelectionSetNode
  readonly #fragments: Fragments
  readonly #responseKeys: ReadonlyMap<string, string>
  readonly #schema: GraphQLSchema

  constructor(
    root: SelectionSetNode,
    {
      schema,
      fragments,
      responseKeys,
    }: {
      readonly schema: GraphQLSchema
      readonly fragments: Fragments
      readonly responseKeys: ReadonlyMap<string, string>
    },
  ) {
    this.#schema = schema
    this.#root = root
    this.#fragments = fragments
    this.#responseKeys = responseKeys
  }

  /**
   * The path in the keys of the client, as far as it leads to something that was asked for. Undefined: the client asked for that of other
   * types only, so that the answer has no such place.
   */
  of(path: readonly (string | number)[], data: DataObject): (string | number)[] | undefined {
    const known: (string | number)[] = []
    let sets: readonly SelectionSetNode[] = [this.#root]
    let value: unknown = data
    for (const part of path) {
      if (typeof part === 'number') known.push(part)
      else {
        const fields = sets.flatMap((set) => this.#fieldsOf(set, part, undefined))
        if (fields.length === 0) break
        const type = isObject(value) ? this.#schema.getType(String(own(value, '__typename'))) : undefined
        const ofType = isObjectType(type) ? sets.flatMap((set) => this.#fieldsOf(set, part, type)) : fields
        if (ofType.length === 0) return undefined
        known.push(this.#responseKeys.get(part) ?? part)
        sets = ofType.flatMap(({ selectionSet }) => selectionSet ?? [])
      }
      value = typeof value === 'object' && value !== null ? own(value as DataObject, String(part)) : undefined
    }
    return known
  }

  /** Of any type where none is given. */
  #fieldsOf({ selections }: SelectionSetNode, key: string, type: GraphQLObjectType | undefined): FieldNode[] {
    return selections.flatMap((node) => {
      if (node.kind === Kind.FIELD) return (node.alias ?? node.name).value === key ? node : []
      const fragment = node.kind === Kind.INLINE_FRAGMENT ? node : this.#fragments.get(node.name.value)
      if (fragment === undefined) return []
      const condition = fragment.typeCondition?.name.value
      const applies = type === undefined || meetsCondition(condition, type, this.#schema)
      return applies ? this.#fieldsOf(fragment.selectionSet, key, type) : []
    })
  }
}
