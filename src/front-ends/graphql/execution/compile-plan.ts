import type { FetchNode, PlanNode, ResponsePath } from '@apollo/query-planner'
import { GatewayError } from '../../../core/error.ts'
import type { Subgraph } from '../subgraphs/subgraph.ts'
import { compilePath } from './data-path.ts'
import { PlannedFetch } from './planned-fetch.ts'
import type { Run } from './run.ts'
import { runFetch } from './run-fetch.ts'
import type { TypeConditions } from './type-conditions.ts'

/** A part of a plan, ready to run. Never rejects: what fails is among the errors of the run. */
export type Step = (run: Run) => Promise<void> | undefined

/** What plans are compiled with. */
export interface PlanOptions {
  readonly subgraphs: ReadonlyMap<string, Subgraph>
  readonly types: TypeConditions
  /** Whether another step may ask the same subgraph at the same time. Default false. */
  readonly inCompany?: boolean
}

/** Compiles a part of a plan. Throws a GatewayError for what is not understood. */
export function compilePlan(node: PlanNode, options: PlanOptions, path: ResponsePath = []): Step {
  switch (node.kind) {
    case 'Sequence':
      return inSequence(node.nodes.map((one) => compilePlan(one, options, path)))
    case 'Parallel':
      return inParallel(compileBeside(node.nodes, options, path))
    case 'Flatten':
      return compilePlan(node.node, options, [...path, ...node.path])
    case 'Condition': {
      const met = node.ifClause === undefined ? undefined : compilePlan(node.ifClause, options, path)
      const unmet = node.elseClause === undefined ? undefined : compilePlan(node.elseClause, options, path)
      return (run) => (run.variables.get(node.condition) === true ? met : unmet)?.(run)
    }
    case 'Fetch': {
      const fetch = compileFetch(node, options, path)
      const { inCompany = false } = options
      return (run) => runFetch(fetch, run, inCompany)
    }
    case 'Defer': {
      // For who takes the answer as a whole.
      const parts = compileBeside(
        node.deferred.flatMap((part) => part.node ?? []),
        options,
        path,
      )
      const first = node.primary.node === undefined ? [] : [compilePlan(node.primary.node, options, path)]
      return inSequence([...first, inParallel(parts)])
    }
    default:
      throw new GatewayError(
        'NOT_IMPLEMENTED',
        'The operation asks for something that the gateway cannot do.',
      )
  }
}

/** Steps that run beside each other. */
function compileBeside(nodes: readonly PlanNode[], options: PlanOptions, path: ResponsePath): Step[] {
  const names = nodes.flatMap((node) => [...subgraphsOf(node)])
  const inCompany = options.inCompany === true || new Set(names).size < names.length
  return nodes.map((node) => compilePlan(node, { ...options, inCompany }, path))
}

/** The names of the subgraphs that a part of a plan asks. */
function subgraphsOf(node: PlanNode): Set<string> {
  const names = new Set<string>()
  JSON.stringify(node, (key, value) => {
    if (key === 'serviceName') names.add(String(value))
    return value
  })
  return names
}

/** Throws an Error for a subgraph that is not there. */
export function compileFetch(
  node: FetchNode,
  { subgraphs, types }: PlanOptions,
  path: ResponsePath = [],
): PlannedFetch {
  const subgraph = subgraphs.get(node.serviceName)
  if (subgraph === undefined) throw new Error(`The plan names a subgraph "${node.serviceName}".`)
  return new PlannedFetch(node, { subgraph, path: compilePath(path), types })
}

function inSequence(steps: readonly Step[]): Step {
  return async (run) => {
    for (const step of steps) await step(run)
  }
}

function inParallel(steps: readonly Step[]): Step {
  return async (run) => {
    await Promise.all(steps.map((step) => step(run)))
  }
}
