import type {
  FetchNode,
  PlanNode,
  QueryPlanSelectionNode,
  ResponsePath,
  SubscriptionNode,
} from '@apollo/query-planner'
import { parse, print } from 'graphql'
import type { Plan } from '../planning/plan.ts'

/** A plan for people: a line for each node, what it does below it. */
export function planText({ node }: Plan): string {
  if (node === undefined) return 'nothing: no subgraph is asked\n'
  return `${linesOf(node).join('\n')}\n`
}

/** How often subgraphs are asked, every condition and every deferred part counted; a fetch for a list is one. */
export function fetchCount({ node }: Plan): number {
  return node === undefined ? 0 : fetchesOf(node).length
}

/** How many fetches wait for one another at the most. */
export function planDepth({ node }: Plan): number {
  return node === undefined ? 0 : depthOf(node)
}

/** The subgraphs that are asked, each once. */
export function subgraphsOf({ node }: Plan): string[] {
  return node === undefined ? [] : [...new Set(fetchesOf(node).map(({ serviceName }) => serviceName))]
}

type Node = PlanNode | SubscriptionNode

function linesOf(node: Node): string[] {
  switch (node.kind) {
    case 'Fetch':
      return fetchLines(node)
    case 'Sequence':
      return ['in turn', ...below(node.nodes)]
    case 'Parallel':
      return ['at once', ...below(node.nodes)]
    case 'Flatten':
      return linesOf(node.node).map((line, index) =>
        index === 0 ? `${line} for ${written(node.path)}` : line,
      )
    case 'Condition':
      return [
        `if $${node.condition}`,
        ...below(node.ifClause === undefined ? [] : [node.ifClause]),
        ...(node.elseClause === undefined ? [] : ['else', ...below([node.elseClause])]),
      ]
    case 'Subscription':
      return [
        'subscribe',
        ...below([node.primary]),
        ...(node.rest ? ['with each event', ...below([node.rest])] : []),
      ]
    case 'Defer':
      return [
        'first',
        ...below(node.primary.node === undefined ? [] : [node.primary.node]),
        ...node.deferred.flatMap((part) => [
          `deferred at ${written(part.queryPath)}${part.label === undefined ? '' : ` as "${part.label}"`}`,
          ...below(part.node === undefined ? [] : [part.node]),
        ]),
      ]
  }
}

function fetchLines({ serviceName, requires, operation }: FetchNode): string[] {
  const asked = print(parse(operation)).trim().split('\n')
  const given = requires === undefined ? [] : [`with ${selectionText(requires)}`]
  return [`fetch ${serviceName}`, ...indented([...given, ...asked])]
}

function selectionText(selections: readonly QueryPlanSelectionNode[]): string {
  const parts = selections.map((one) => {
    const inner = one.selections === undefined ? '' : ` ${selectionText(one.selections)}`
    return one.kind === 'Field'
      ? `${one.name}${inner}`
      : `... ${one.typeCondition ? `on ${one.typeCondition}` : ''}${inner}`
  })
  return `{ ${parts.join(' ')} }`
}

function below(nodes: readonly Node[]): string[] {
  return indented(nodes.flatMap(linesOf))
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`)
}

/** `products.@.reviews`: `@` stands for each element of a list. The planner begins a path with an empty part where it goes on by types. */
function written(path: ResponsePath): string {
  const parts = path.filter((part) => part !== '')
  return parts.length === 0 ? 'the root' : parts.join('.')
}

function fetchesOf(node: Node): FetchNode[] {
  return node.kind === 'Fetch' ? [node] : childrenOf(node).flatMap(fetchesOf)
}

function childrenOf(node: Exclude<Node, FetchNode>): Node[] {
  switch (node.kind) {
    case 'Sequence':
    case 'Parallel':
      return node.nodes
    case 'Flatten':
      return [node.node]
    case 'Condition':
      return present([node.ifClause, node.elseClause])
    case 'Subscription':
      return present([node.primary, node.rest])
    case 'Defer':
      return present([node.primary.node, ...node.deferred.map((part) => part.node)])
  }
}

function present(nodes: readonly (Node | undefined)[]): Node[] {
  return nodes.filter((node) => node !== undefined)
}

function depthOf(node: Node): number {
  if (node.kind === 'Fetch') return 1
  const depths = childrenOf(node).map(depthOf)
  const inTurn = node.kind === 'Sequence' || node.kind === 'Subscription'
  return inTurn ? depths.reduce((sum, depth) => sum + depth, 0) : Math.max(0, ...depths)
}
