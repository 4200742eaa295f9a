import type { Build } from './build.ts'
import type { GraphqlConfig } from './config/schema.ts'
import type { GraphqlOptions } from './front-ends/graphql/graphql-options.ts'

type Asked =
  | NonNullable<GraphqlConfig['supergraphUrl']>
  | NonNullable<GraphqlConfig['subgraphs'][string]['live']>

/** Where the supergraph of a configuration comes from, and what is known of it from before a reload. */
export async function supergraphOptions(
  build: Build,
  graphql: GraphqlConfig,
): Promise<Pick<GraphqlOptions, 'supergraph' | 'memory' | 'warmUp' | 'online'>> {
  const { SupergraphMemory } = await import('./front-ends/graphql/supergraph/supergraph-memory.ts')
  const { supergraph: file, supergraphUrl: from } = graphql
  return {
    supergraph:
      file !== undefined
        ? build.read(file, ['graphql', 'supergraph'])
        : from && { url: from.url, maxBytes: from.maxBytes, ...asked(from) },
    memory: build.host(undefined).keep('graphql supergraph', () => new SupergraphMemory()),
    warmUp: { operations: graphql.warmUp.operations, timeoutMs: graphql.warmUp.timeout },
    online: build.isOnline,
  }
}

/** Who knows the schema of a subgraph; nobody, where the supergraph is composed already. */
export function schemaOf(
  build: Build,
  graphql: GraphqlConfig,
  name: string,
): Pick<GraphqlOptions['subgraphs'][number], 'sdl' | 'file' | 'live'> {
  const { supergraph, supergraphUrl, subgraphs } = graphql
  const { schema, live } = subgraphs[name] ?? {}
  if (supergraph !== undefined || supergraphUrl !== undefined) return {}
  if (schema === undefined) return { live: live && asked(live) }
  return { sdl: build.read(schema, ['graphql', 'subgraphs', name, 'schema']), file: schema }
}

/** How somebody is asked for a schema. */
export function asked({ interval, timeout, token, headers }: Asked) {
  const authorization = token === undefined ? undefined : { authorization: `Bearer ${token}` }
  return { intervalMs: interval, timeoutMs: timeout, headers: { ...headers, ...authorization } }
}
