import type {
  FetchDataRewrite,
  FetchNode,
  PlanNode,
  QueryPlanSelectionNode,
  SubscriptionNode,
} from '@apollo/query-planner'
import { type FieldNode, Kind, parse, print, stripIgnoredCharacters, visit } from 'graphql'
import { type AdaptedFields, splitFetch } from './split-fetch.ts'

/** A plan of an adapted supergraph with its made-up fields turned back into what they stand for. */
export function executableNode<T extends PlanNode | SubscriptionNode>(node: T, adapted: AdaptedFields): T {
  if (adapted.made.size === 0) return node
  return mapNode(node, adapted) as T
}

function mapNode(node: PlanNode | SubscriptionNode, adapted: AdaptedFields): PlanNode | SubscriptionNode {
  const inner = <T extends PlanNode | undefined>(one: T): T =>
    (one === undefined ? one : mapNode(one, adapted)) as T
  switch (node.kind) {
    case 'Fetch':
      return together(splitFetch(node, adapted).map((fetch) => withRealFields(fetch, adapted)))
    case 'Flatten':
      if (node.node.kind !== 'Fetch') return { ...node, node: inner(node.node) }
      return together(
        splitFetch(node.node, adapted).map((fetch) => ({ ...node, node: withRealFields(fetch, adapted) })),
      )
    case 'Sequence':
    case 'Parallel':
      return { ...node, nodes: node.nodes.map(inner) }
    case 'Condition':
      return optional(node, { ifClause: inner(node.ifClause), elseClause: inner(node.elseClause) })
    case 'Defer':
      return {
        ...node,
        primary: optional(node.primary, { node: inner(node.primary.node) }),
        deferred: node.deferred.map((one) => optional(one, { node: inner(one.node) })),
      }
    case 'Subscription':
      return optional({ ...node, primary: withRealFields(node.primary, adapted) }, { rest: inner(node.rest) })
  }
}

function together(nodes: readonly PlanNode[]): PlanNode {
  const [first] = nodes
  if (first !== undefined && nodes.length === 1) return first
  return { kind: 'Parallel', nodes: [...nodes] }
}

function optional<T extends object>(value: T, more: object): T {
  return { ...value, ...Object.fromEntries(Object.entries(more).filter(([, one]) => one !== undefined)) }
}

/** Asks for the field with its arguments under the made-up name, and renames it in what is sent to the next subgraph. */
function withRealFields(fetch: FetchNode, { made }: AdaptedFields): FetchNode {
  let changed = false
  const document = visit(parse(fetch.operation, { noLocation: true }), {
    Field(node: FieldNode) {
      const real = made.get(node.name.value)
      if (real === undefined) return undefined
      changed = true
      return {
        ...node,
        alias: node.alias ?? node.name,
        name: { kind: Kind.NAME, value: real.field },
        arguments: [...(node.arguments ?? []), ...(real.arguments ?? [])],
      }
    },
  })
  const renamers: FetchDataRewrite[] = []
  collectRenamers(fetch.requires ?? [], [])
  if (!changed && renamers.length === 0) return fetch
  return {
    ...fetch,
    operation: changed ? stripIgnoredCharacters(print(document)) : fetch.operation,
    ...(renamers.length === 0 ? {} : { inputRewrites: [...(fetch.inputRewrites ?? []), ...renamers] }),
  }

  /** Inner fields first: their path still has the names of the outer ones. */
  function collectRenamers(selections: readonly QueryPlanSelectionNode[], path: readonly string[]): void {
    for (const node of selections) {
      if (node.kind === 'InlineFragment') {
        const inside = node.typeCondition === undefined ? path : [...path, `... on ${node.typeCondition}`]
        collectRenamers(node.selections, inside)
        continue
      }
      const here = [...path, node.alias ?? node.name]
      collectRenamers(node.selections ?? [], here)
      const real = made.get(node.name)
      if (real === undefined) continue
      renamers.push({ kind: 'KeyRenamer', path: here, renameKeyTo: real.field })
    }
  }
}
