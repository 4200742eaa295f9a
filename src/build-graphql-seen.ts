import type { Build } from './build.ts'
import { audience } from './build-graphql-requests.ts'
import type { GraphqlConfig } from './config/schema.ts'
import type { GraphqlOptions } from './front-ends/graphql/graphql-options.ts'
import { GraphqlMetrics } from './metrics/graphql-metrics.ts'

/** What is seen of GraphQL operations: by those who run the gateway, and by clients. */
export function graphqlSeen(
  build: Build,
  graphql: GraphqlConfig,
): Required<Pick<GraphqlOptions, 'seen' | 'observer'>> {
  const { queryPlan, slowLog } = graphql
  return {
    seen: {
      queryPlan: audience(build, queryPlan, ['queryPlan']),
      slowOperationMs: slowLog.operation,
      slowPlanningMs: slowLog.planning,
      ...deciding(graphql),
    },
    observer: new GraphqlMetrics(build.host(undefined).metrics),
  }
}

/** What of a client decides what subgraphs answer: headers by their names, and whether there is more that has no name here. */
function deciding({ headers, subgraphs }: GraphqlConfig): { varyOn: string[]; personal: boolean } {
  const rules = [headers.request, ...Object.values(subgraphs).map((subgraph) => subgraph.headers.request)]
  const written = rules.flatMap(({ forward, rename }) => [...forward, ...Object.keys(rename)])
  const names = written.filter((name) => !name.endsWith('*'))
  const texts = rules.flatMap(({ set, add, default: fill }) =>
    [set, add, fill].flatMap(Object.values<string>),
  )
  return {
    varyOn: ['Accept-Language', ...new Set(names)],
    personal: names.length < written.length || texts.some((text) => text.includes('${')),
  }
}
