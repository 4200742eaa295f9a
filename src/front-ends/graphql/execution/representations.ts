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

/** Compiles the `requires` of a fetch. */
export function compileRepresentation(
  requires: readonly QueryPlanSelectionNode[],
  { types, rewrite }: { readonly types: TypeConditions; readonly rewrite: Rewrite | undefined },
): (entity: DataObject) => Representation {
  const writer = new ObjectWriter(requires, types)
  return (entity) => {
    const typename = own(entity, '__typename')
    if (typename === failed || typename === unfetched) return failed
    // Without its type no subgraph can tell which entity it is.
    if (typeof typename !== 'string' || !writer.saysType(typename)) return undefined
    const text = writer.write(entity)
    if (rewrite === undefined || typeof text !== 'string') return text
    const object: DataObject = JSON.parse(text)
    rewrite(object)
    return JSON.stringify(object)
  }
}

/** Writes what selections ask of an object; which fields these are depends on its type. */
class ObjectWriter {
  readonly #selections: readonly QueryPlanSelectionNode[]
  readonly #types: TypeConditions
  readonly #byType = new Map<string, readonly WrittenField[]>()

  constructor(selections: readonly QueryPlanSelectionNode[], types: TypeConditions) {
    this.#selections = selections
    this.#types = types
  }

  saysType(typename: string): boolean {
    return this.#fields(typename).some(({ key }) => key === '__typename')
  }

  write(object: DataObject): Representation {
    const typename = own(object, '__typename')
    let text = ''
    for (const { key, member, nested } of this.#fields(typeof typename === 'string' ? typename : '')) {
      const written = writeValue(own(object, key), nested)
      if (typeof written !== 'string') return written
      text += text === '' ? member + written : `,${member}${written}`
    }
    return `{${text}}`
  }

  #fields(typename: string): readonly WrittenField[] {
    // Names that a subgraph made up are not remembered.
    const name = this.#types.isKnown(typename) ? typename : ''
    let fields = this.#byType.get(name)
    if (fields === undefined) {
      const selected = new Map<string, QueryPlanSelectionNode[] | undefined>()
      this.#select(this.#selections, name, selected)
      fields = [...selected].map(([key, selections]) => ({
        key,
        member: `${JSON.stringify(key)}:`,
        nested: selections === undefined ? undefined : new ObjectWriter(selections, this.#types),
      }))
      this.#byType.set(name, fields)
    }
    return fields
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

interface WrittenField {
  readonly key: string
  /** `"id":` */
  readonly member: string
  readonly nested: ObjectWriter | undefined
}

function responseKey({ alias, name }: QueryPlanFieldNode): string {
  return alias ?? name
}

function writeValue(value: unknown, nested: ObjectWriter | undefined): Representation {
  if (value === undefined) return undefined
  if (typeof value === 'symbol') return failed
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
