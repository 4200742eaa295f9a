import { readFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { asked } from './build-supergraph.ts'
import type { Environment } from './config/document.ts'
import type { LoadedConfig } from './config/load.ts'
import type { Config, GraphqlConfig } from './config/schema.ts'
import { silentLog } from './core/log.ts'
import { messageOf } from './core/message-of.ts'
import { SupergraphSource } from './front-ends/graphql/supergraph/supergraph-source.ts'
import { composeSupergraph, type SubgraphSdl } from './front-ends/graphql/supergraph.ts'
import { readSource } from './source.ts'
import { Destination } from './traffic/destination.ts'
import type { Upstream } from './traffic/upstream.ts'
import { Upstreams } from './upstreams.ts'

/** A supergraph that is looked into without a gateway. */
export interface ConfiguredSupergraph {
  readonly supergraphSdl: string
  /** What the composition remarks, each as `CODE: text`; none of a supergraph that was composed elsewhere. */
  readonly hints: readonly string[]
  /** `graphql.limits.listSize`. */
  readonly listSize: number
}

/** Comes by the supergraph of a configuration as a gateway does: reads its files, asks its subgraphs or its address. Throws an Error. */
export async function configuredSupergraph(options: {
  readonly file: string
  readonly environment: Environment
}): Promise<ConfiguredSupergraph> {
  const { loaded } = await readSource(options)
  const { graphql } = loaded.config
  if (graphql === undefined) throw new Error(`${options.file} configures no graphql`)
  const upstreams = new Upstreams(silentLog, { probe: true })
  const taken = Object.values(graphql.subgraphs)
    .flatMap(({ upstream, live }) => (upstream === undefined || live === undefined ? [] : upstream))
    .map((name) => [name, upstreams.take(name, upstreamOf(loaded.config, name))] as const)
  try {
    await upstreams.discovered()
    const known = new Map(taken.map(([name, { upstream }]) => [name, upstream]))
    const source = sourceOf(loaded, graphql, known)
    await source.first()
    const gathered = source.gather()
    if (gathered.kind === 'missing') throw new Error(source.trouble ?? gathered.reason)
    const { listSize } = graphql.limits
    if (gathered.kind === 'supergraph') return { supergraphSdl: gathered.sdl, hints: [], listSize }
    return { ...(await composedOf(gathered.subgraphs)), listSize }
  } finally {
    await Promise.all(taken.map(([, { release }]) => release()))
  }
}

/** Composes subgraphs. Rejects with an Error that has a line for each mistake. */
export async function composedOf(
  subgraphs: readonly SubgraphSdl[],
): Promise<Pick<ConfiguredSupergraph, 'supergraphSdl' | 'hints'>> {
  const { supergraphSdl, hints } = await composeSupergraph(subgraphs)
  return { supergraphSdl, hints: hints.map(({ code, message }) => `${code}: ${message}`) }
}

function sourceOf(
  { file }: LoadedConfig,
  graphql: GraphqlConfig,
  upstreams: ReadonlyMap<string, Upstream>,
): SupergraphSource {
  const read = (name: string): string => {
    const path = resolve(dirname(file), name)
    try {
      return readFileSync(path, 'utf8')
    } catch (error) {
      throw new Error(`${relative(process.cwd(), path)} cannot be read: ${messageOf(error)}`)
    }
  }
  const { supergraph, supergraphUrl: from } = graphql
  return new SupergraphSource(
    {
      supergraph: supergraph === undefined ? from && { ...from, ...asked(from) } : read(supergraph),
      subgraphs: Object.entries(graphql.subgraphs).map(([name, { upstream, path, schema, live }]) => ({
        name,
        // Nobody is asked where a file says what the schema is.
        destination: placeOf(name, upstreams.get(upstream ?? '')),
        path,
        ...(schema === undefined || supergraph !== undefined || from !== undefined
          ? undefined
          : { sdl: read(schema), file: schema }),
        live: live && asked(live),
      })),
    },
    { known: new Map(), log: silentLog, onAsked: () => {} },
  )
}

function placeOf(name: string, upstream: Upstream | undefined): Destination | undefined {
  return upstream && new Destination(`graphql/${name}`, upstream)
}

function upstreamOf({ upstreams }: Config, name: string): Config['upstreams'][string] {
  const config = upstreams[name]
  if (config === undefined) throw new Error(`there is no upstream "${name}"`)
  return config
}
