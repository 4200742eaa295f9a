import {
  type ArgumentNode,
  type DocumentNode,
  type FieldNode,
  type GraphQLArgument,
  type GraphQLCompositeType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isCompositeType,
  isListType,
  isUnionType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql'
import { type Fragments, fragmentsOf } from '../fragments.ts'
import { inclusionOf, Variables } from '../inclusion.ts'
import type { CostWeights, ListSize } from './cost-weights.ts'
import { inputCost, readValue } from './input-cost.ts'

/** What costs are computed with. */
export interface CostOptions {
  readonly schema: GraphQLSchema
  readonly weights: CostWeights
  /** Elements of a list of which nothing says how many. */
  readonly listSize: number
}

/** A cost never gets larger, whatever is multiplied. */
export const maxCost = Number.MAX_SAFE_INTEGER

/**
 * What a valid operation costs at most, before anything runs: 1 for each object, 0 for scalars and enums, 10 more for each field at the
 * root of a mutation, times the sizes of the lists around it, and what `@cost` says. Fields that are asked for twice count twice.
 * From 0 to {@link maxCost}.
 */
export function operationCost(
  document: DocumentNode,
  operation: OperationDefinitionNode,
  options: CostOptions & { readonly variables: Readonly<Record<string, unknown>> | undefined },
): number {
  const root = options.schema.getRootType(operation.operation)
  if (root === undefined || root === null) return 0
  const walk = new CostWalk(document, options, new Variables(options.variables, operation))
  const { cost, fields } = walk.selections(operation.selectionSet, root, undefined)
  return operation.operation === 'mutation' ? bounded(cost + fields * mutationCost) : cost
}

const mutationCost = 10

/** How many elements the sized fields of a selection set have. */
interface Sized {
  readonly fields: readonly string[]
  readonly size: number
}

class CostWalk {
  readonly #options: CostOptions
  readonly #variables: Variables
  readonly #fragments: Fragments

  constructor(document: DocumentNode, options: CostOptions, variables: Variables) {
    this.#options = options
    this.#variables = variables
    this.#fragments = fragmentsOf(document)
  }

  /** Of a selection set of one object; `fields` are those that are selected of it. */
  selections(
    { selections }: SelectionSetNode,
    type: GraphQLCompositeType,
    sized: Sized | undefined,
  ): { cost: number; fields: number } {
    let cost = 0
    let fields = 0
    for (const node of selections) {
      if (!this.#variables.includes(inclusionOf(node))) continue
      if (node.kind === Kind.FIELD) {
        cost = bounded(cost + this.#field(node, type, sized))
        if (!node.name.value.startsWith('__')) fields++
        continue
      }
      const fragment = node.kind === Kind.FRAGMENT_SPREAD ? this.#fragments.get(node.name.value) : node
      if (fragment === undefined) continue
      const name = fragment.typeCondition?.name.value
      const condition = name === undefined ? type : this.#options.schema.getType(name)
      const below = this.selections(
        fragment.selectionSet,
        isCompositeType(condition) ? condition : type,
        sized,
      )
      cost = bounded(cost + below.cost)
      fields += below.fields
    }
    return { cost, fields }
  }

  #field(node: FieldNode, parent: GraphQLCompositeType, sized: Sized | undefined): number {
    const name = node.name.value
    const field = isUnionType(parent) ? undefined : parent.getFields()[name]
    if (field === undefined) return 0
    const at = `${parent.name}.${name}`
    const { weights, listSizes } = this.#options.weights
    const type = getNamedType(field.type)
    const listSize = listSizes.get(at)
    const size = listSize === undefined ? undefined : this.#sizeOf(listSize, node, field.args)
    const own = weights.get(at) ?? weights.get(type.name) ?? (isCompositeType(type) ? 1 : 0)
    const isOfBelow = listSize !== undefined && listSize.sizedFields.length > 0
    const below =
      node.selectionSet === undefined || !isCompositeType(type)
        ? 0
        : this.selections(
            node.selectionSet,
            type,
            isOfBelow && size !== undefined ? { fields: listSize.sizedFields, size } : undefined,
          ).cost
    const said = isOfBelow ? undefined : size
    const elements = this.#elements(
      field.type,
      said ?? (sized?.fields.includes(name) ? sized.size : undefined),
    )
    const inputs = this.#inputs(node.arguments ?? [], field.args, at)
    return Math.max(0, bounded(elements * (own + below) + inputs))
  }

  /** Of a list of lists, the size that is said is that of the outer one. */
  #elements(type: GraphQLOutputType, size: number | undefined): number {
    let elements = 1
    let next = size
    for (let one = getNullableType(type); isListType(one); one = getNullableType(one.ofType)) {
      elements *= next ?? this.#options.listSize
      next = undefined
    }
    return elements
  }

  #sizeOf(
    { slicingArguments, assumedSize }: ListSize,
    node: FieldNode,
    args: readonly GraphQLArgument[],
  ): number | undefined {
    let size: number | undefined
    for (const name of slicingArguments) {
      const written = node.arguments?.find((one) => one.name.value === name)
      const given = written === undefined ? undefined : readValue(written.value, this.#variables)
      const said = given === undefined ? args.find((one) => one.name === name)?.defaultValue : given
      if (typeof said === 'number') size = Math.max(size ?? 0, bounded(said))
    }
    return size ?? assumedSize
  }

  #inputs(nodes: readonly ArgumentNode[], args: readonly GraphQLArgument[], at: string): number {
    let cost = 0
    for (const node of nodes) {
      const name = node.name.value
      const type = args.find((one) => one.name === name)?.type
      if (type === undefined) continue
      const said = this.#options.weights.weights.get(`${at}(${name}:)`)
      cost += said ?? inputCost(readValue(node.value, this.#variables), type, this.#options.weights)
    }
    return bounded(cost)
  }
}

/** Also what is no number is too much. */
function bounded(cost: number): number {
  return cost < maxCost ? cost : maxCost
}
