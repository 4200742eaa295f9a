import { baseType, federationMetadata, isCompositeType, type Schema } from '@apollo/federation-internals'
import type { FetchNode, PlanNode, SubscriptionNode } from '@apollo/query-planner'
import { Kind, parse, type SelectionSetNode } from 'graphql'

/**
 * Whether a plan asks a subgraph for a field below another one although the field has a `@requires`: nothing is sent along there, so the
 * subgraph would compute it of nothing. Where a subgraph has `@provides`, its path may bring what it needs: that is not looked at.
 */
export function hasUnmetRequires(
  node: PlanNode | SubscriptionNode,
  subgraphs: ReadonlyMap<string, Schema>,
): boolean {
  return fetchesOf(node).some((fetch) => {
    const schema = subgraphs.get(fetch.serviceName)
    return schema !== undefined && asksTooEarly(fetch, schema)
  })
}

function fetchesOf(node: PlanNode | SubscriptionNode | undefined): FetchNode[] {
  switch (node?.kind) {
    case undefined:
      return []
    case 'Fetch':
      return [node]
    case 'Flatten':
      return fetchesOf(node.node)
    case 'Sequence':
    case 'Parallel':
      return node.nodes.flatMap(fetchesOf)
    case 'Condition':
      return [...fetchesOf(node.ifClause), ...fetchesOf(node.elseClause)]
    case 'Subscription':
      return [node.primary, ...fetchesOf(node.rest)]
    case 'Defer':
      return [...fetchesOf(node.primary.node), ...node.deferred.flatMap((one) => fetchesOf(one.node))]
  }
}

function asksTooEarly(fetch: FetchNode, schema: Schema): boolean {
  const directive = federationMetadata(schema)?.requiresDirective()
  const [operation] = parse(fetch.operation, { noLocation: true }).definitions
  const provided = federationMetadata(schema)?.providesDirective().applications().size ?? 0
  if (provided > 0) return false
  if (directive === undefined || operation?.kind !== Kind.OPERATION_DEFINITION) return false
  const root = schema.schemaDefinition.rootType(fetch.operationKind)?.name
  return root !== undefined && tooEarly(operation.selectionSet, root, false)

  function tooEarly(set: SelectionSetNode, typeName: string, below: boolean): boolean {
    return set.selections.some((node) => {
      if (node.kind === Kind.FRAGMENT_SPREAD) return false
      if (node.kind === Kind.INLINE_FRAGMENT)
        return tooEarly(node.selectionSet, node.typeCondition?.name.value ?? typeName, below)
      if (node.name.value === '_entities' && node.selectionSet !== undefined)
        return tooEarly(node.selectionSet, '_Entity', false)
      const type = schema.type(typeName)
      const field = type !== undefined && isCompositeType(type) ? type.field(node.name.value) : undefined
      if (field === undefined || directive === undefined) return false
      if (below && field.appliedDirectivesOf(directive).length > 0) return true
      if (node.selectionSet === undefined || field.type === undefined) return false
      return tooEarly(node.selectionSet, baseType(field.type).name, true)
    })
  }
}
