import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isObjectType,
  isUnionType,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql'
import { type Fragments, fragmentsOf } from '../fragments.ts'
import { type Inclusion, inclusionOf } from '../inclusion.ts'
import type { FieldConditions } from './field-conditions.ts'

/** Where something was taken out of a selection set, or below it. */
export type Gap =
  /** A field that is refused. */
  | {
      readonly kind: 'refused'
      readonly key: string
      readonly type: GraphQLOutputType
      readonly inclusion: Inclusion
      /** `User.email` */
      readonly field: string
      /** The first condition that was not met. */
      readonly condition: number
    }
  /** A field with gaps below it. */
  | {
      readonly kind: 'within'
      readonly key: string
      readonly type: GraphQLOutputType
      readonly inclusion: Inclusion
      readonly below: Gaps
    }
  /** A fragment with gaps. */
  | {
      readonly kind: 'fragment'
      readonly inclusion: Inclusion
      /** Names of the types of objects that it is about; undefined: all that come here. */
      readonly types: ReadonlySet<string> | undefined
      readonly below: Gaps
    }

/** The gaps of a selection set, in order. */
export interface Gaps {
  readonly gaps: readonly Gap[]
  /** The response keys of the set before anything was taken out, in order. */
  readonly keys: readonly string[]
}

/** An operation without what is refused. */
export interface FilteredOperation {
  readonly document: DocumentNode
  readonly gaps: Gaps
  /** The response key under which objects tell their type where that is needed; clients never see it. */
  readonly typeKey: string
}

/** What operations are filtered by. */
export interface FilterOptions {
  readonly schema: GraphQLSchema
  readonly conditions: FieldConditions
  /** The conditions that the caller does not meet. */
  readonly unmet: ReadonlySet<number>
}

/** Takes the fields out of a valid operation that ask for conditions that are not met. */
export function filterOperation(
  document: DocumentNode,
  operation: OperationDefinitionNode,
  options: FilterOptions,
): FilteredOperation {
  const filter = new Filter(document, options)
  const root = options.schema.getRootType(operation.operation)
  if (root === undefined || root === null) throw new Error(`The schema has no ${operation.operation}.`)
  const { selectionSet, gaps } = filter.selectionsOf(operation.selectionSet, root)
  const filtered: OperationDefinitionNode = { ...operation, selectionSet }
  return {
    document: { kind: Kind.DOCUMENT, definitions: [filtered, ...filter.fragments()] },
    gaps,
    typeKey: filter.typeKey,
  }
}

interface Filtered extends Gaps {
  readonly selections: readonly SelectionNode[]
  /** Whether the type of the object must be known to tell where the gaps are. */
  readonly needsType: boolean
}

class Filter {
  readonly typeKey: string
  readonly #options: FilterOptions
  readonly #definitions: Fragments
  readonly #fragments = new Map<string, Filtered>()

  constructor(document: DocumentNode, options: FilterOptions) {
    this.#options = options
    this.#definitions = fragmentsOf(document)
    this.typeKey = unusedKey(document)
  }

  /** The fragments that something is left of. */
  fragments(): FragmentDefinitionNode[] {
    return [...this.#fragments].flatMap(([name, { selections }]) => {
      const definition = this.#definitions.get(name)
      if (definition === undefined || selections.length === 0) return []
      return { ...definition, selectionSet: { kind: Kind.SELECTION_SET, selections } }
    })
  }

  /** The selection set of an operation or field: never empty, because the object that it is of is not refused. */
  selectionsOf(
    node: SelectionSetNode,
    type: GraphQLCompositeType,
  ): { selectionSet: SelectionSetNode; gaps: Gaps } {
    const { selections, gaps, keys, needsType } = this.#filter(node, type)
    const kept = needsType || selections.length === 0 ? [...selections, this.#typeField()] : selections
    return { selectionSet: { kind: Kind.SELECTION_SET, selections: kept }, gaps: { gaps, keys } }
  }

  #typeField(): FieldNode {
    const name = (value: string) => ({ kind: Kind.NAME, value }) as const
    return { kind: Kind.FIELD, alias: name(this.typeKey), name: name('__typename') }
  }

  #filter(node: SelectionSetNode, type: GraphQLCompositeType): Filtered {
    const selections: SelectionNode[] = []
    const gaps: Gap[] = []
    const keys = new Set<string>()
    let needsType = false
    for (const selection of node.selections) {
      if (selection.kind === Kind.FIELD) {
        const key = selection.alias?.value ?? selection.name.value
        keys.add(key)
        const { kept, gap } = this.#field(selection, type, key)
        if (kept !== undefined) selections.push(kept)
        if (gap !== undefined) gaps.push(gap)
        continue
      }
      const fragment =
        selection.kind === Kind.FRAGMENT_SPREAD ? this.#definitions.get(selection.name.value) : selection
      if (fragment === undefined) continue
      const condition = this.#conditionOf(fragment, type)
      const below =
        selection.kind === Kind.FRAGMENT_SPREAD
          ? this.#fragment(selection.name.value, condition)
          : this.#filter(selection.selectionSet, condition)
      for (const key of below.keys) keys.add(key)
      if (below.selections.length > 0)
        selections.push(
          selection.kind === Kind.FRAGMENT_SPREAD ? selection : { ...selection, selectionSet: setOf(below) },
        )
      if (below.gaps.length === 0) continue
      const types = condition === type || isObjectType(type) ? undefined : this.#objectsOf(condition)
      needsType ||= below.needsType || types !== undefined
      gaps.push({ kind: 'fragment', inclusion: inclusionOf(selection), types, below })
    }
    return { selections, gaps, keys: [...keys], needsType }
  }

  #field(
    node: FieldNode,
    parent: GraphQLCompositeType,
    key: string,
  ): { readonly kept?: FieldNode; readonly gap?: Gap } {
    const name = node.name.value
    const field = name.startsWith('__') || isUnionType(parent) ? undefined : parent.getFields()[name]
    if (field === undefined) return { kept: node }
    const { type } = field
    const { conditions, unmet } = this.#options
    const condition = conditions
      .get(parent.name)
      ?.get(name)
      ?.find((index) => unmet.has(index))
    const inclusion = inclusionOf(node)
    if (condition !== undefined) {
      return { gap: { kind: 'refused', key, type, inclusion, field: `${parent.name}.${name}`, condition } }
    }
    const named = getNamedType(type)
    if (node.selectionSet === undefined || !isCompositeType(named)) return { kept: node }
    const { selectionSet, gaps: below } = this.selectionsOf(node.selectionSet, named)
    if (below.gaps.length === 0) return { kept: node }
    return { kept: { ...node, selectionSet }, gap: { kind: 'within', key, type, inclusion, below } }
  }

  #fragment(name: string, type: GraphQLCompositeType): Filtered {
    const known = this.#fragments.get(name)
    if (known !== undefined) return known
    const definition = this.#definitions.get(name)
    const filtered = definition === undefined ? nothing : this.#filter(definition.selectionSet, type)
    this.#fragments.set(name, filtered)
    return filtered
  }

  #conditionOf(
    { typeCondition }: { readonly typeCondition?: FragmentDefinitionNode['typeCondition'] | undefined },
    type: GraphQLCompositeType,
  ): GraphQLCompositeType {
    const named = typeCondition === undefined ? type : this.#options.schema.getType(typeCondition.name.value)
    return isCompositeType(named) ? named : type
  }

  #objectsOf(type: GraphQLCompositeType): ReadonlySet<string> {
    const objects = isAbstractType(type) ? this.#options.schema.getPossibleTypes(type) : [type]
    return new Set(objects.map(({ name }) => name))
  }
}

const nothing: Filtered = { selections: [], gaps: [], keys: [], needsType: false }

function setOf({ selections }: Filtered): SelectionSetNode {
  return { kind: Kind.SELECTION_SET, selections }
}

/** A response key that stands nowhere in the document. */
function unusedKey(document: DocumentNode): string {
  const used = new Set<string>()
  const visit = ({ selections }: SelectionSetNode): void => {
    for (const node of selections) {
      if (node.kind === Kind.FIELD) used.add(node.alias?.value ?? node.name.value)
      if (node.kind !== Kind.FRAGMENT_SPREAD && node.selectionSet !== undefined) visit(node.selectionSet)
    }
  }
  for (const node of document.definitions) if ('selectionSet' in node) visit(node.selectionSet)
  let key = '_type'
  while (used.has(key)) key += '_'
  return key
}
