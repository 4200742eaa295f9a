import { type ConstDirectiveNode, type ConstValueNode, type DocumentNode, Kind } from 'graphql'
import { argumentsOf, type SupergraphFeatures } from '../supergraph-features.ts'

/** How many elements the list of a field has (IBM, GraphQL Cost Directives specification, `@listSize`). */
export interface ListSize {
  readonly assumedSize: number | undefined
  /** Arguments that say how many; the largest counts. */
  readonly slicingArguments: readonly string[]
  /** The fields below whose lists are meant, in place of the field's own. */
  readonly sizedFields: readonly string[]
}

/** What a supergraph says of costs; whatever is not here has the default. */
export interface CostWeights {
  /** Of objects, scalars and enums by name; of fields (`Query.search`); of arguments (`Query.search(first:)`); of input fields (`Filter.text`). */
  readonly weights: ReadonlyMap<string, number>
  /** By field: `Query.search`. */
  readonly listSizes: ReadonlyMap<string, ListSize>
}

/** Reads `@cost` and `@listSize` of a supergraph. */
export function readCostWeights(
  supergraph: DocumentNode,
  { cost, listSize }: SupergraphFeatures,
): CostWeights {
  const weights = new Map<string, number>()
  const listSizes = new Map<string, ListSize>()
  if (cost === undefined) return { weights, listSizes }
  const weigh = (at: string, directives: readonly ConstDirectiveNode[] = []): void => {
    for (const directive of directives) {
      const named = argumentsOf(directive)
      if (directive.name.value === cost) weights.set(at, number(named.weight) ?? 0)
      if (directive.name.value !== listSize) continue
      listSizes.set(at, {
        assumedSize: number(named.assumedSize),
        slicingArguments: texts(named.slicingArguments),
        sizedFields: texts(named.sizedFields),
      })
    }
  }
  for (const node of supergraph.definitions) {
    if (!('name' in node) || node.name === undefined || !node.kind.endsWith('TypeDefinition')) continue
    const type = node.name.value
    weigh(type, node.directives as readonly ConstDirectiveNode[])
    if (!('fields' in node)) continue
    for (const field of node.fields ?? []) {
      const at = `${type}.${field.name.value}`
      weigh(at, field.directives)
      if (field.kind !== Kind.FIELD_DEFINITION) continue
      for (const argument of field.arguments ?? [])
        weigh(`${at}(${argument.name.value}:)`, argument.directives)
    }
  }
  return { weights, listSizes }
}

/** Weights are Int in Apollo's directive, and texts in IBM's. */
function number(value: ConstValueNode | undefined): number | undefined {
  if (value?.kind !== Kind.INT && value?.kind !== Kind.FLOAT && value?.kind !== Kind.STRING) return undefined
  const found = Number(value.value)
  return Number.isFinite(found) ? found : undefined
}

function texts(value: ConstValueNode | undefined): string[] {
  const values = value?.kind === Kind.LIST ? value.values : []
  return values.flatMap((item) => (item.kind === Kind.STRING ? item.value : []))
}
