import { relative } from 'node:path'
import type { Build } from './build.ts'
import type { GraphqlConfig } from './config/schema.ts'
import type { Exchange } from './core/exchange.ts'
import { messageOf } from './core/message-of.ts'
import { Mistake } from './core/mistake.ts'
import type { Authorization } from './core/route.ts'
import type { GraphqlOptions } from './front-ends/graphql/graphql-options.ts'
import { compileAuthorization } from './plugins/identity/authorize.ts'
import { RedisTexts } from './store/redis-texts.ts'
import { watchedFiles } from './watched-files.ts'

/** What clients of GraphQL may send, and how. */
export async function graphqlRequests(
  build: Build,
  { introspection, suggestions, persistedQueries, trustedDocuments, batching, uploads }: GraphqlConfig,
): Promise<
  Pick<GraphqlOptions, 'introspection' | 'suggestions' | 'persisted' | 'trusted' | 'batching' | 'uploads'>
> {
  return {
    introspection: audience(build, introspection, ['introspection']),
    suggestions: suggestions === undefined ? undefined : audience(build, suggestions, ['suggestions']),
    persisted: persistedQueries.enabled ? await persisted(build, persistedQueries) : undefined,
    trusted: trustedDocuments === undefined ? undefined : await trusted(build, trustedDocuments),
    batching,
    uploads: uploads && { ...uploads, timeoutMs: uploads.timeout },
  }
}

/** Whom a rule holds for; `path`: where it stands below `graphql`. */
export function audience(
  build: Build,
  who: boolean | Authorization,
  path: readonly string[],
): NonNullable<GraphqlOptions['suggestions']> {
  return typeof who === 'boolean' ? who : meets(build, who, path)
}

/** Whether a caller is known and has what is asked for. */
function meets(build: Build, asked: Authorization, path: readonly string[]): (x: Exchange) => boolean {
  const { plugins, graphql } = build.config
  const uses = [...plugins, ...(graphql?.plugins ?? [])]
  // The service that forwardAuth asks may say who calls.
  if (graphql?.auth === 'none' && !uses.some(({ name }) => name === 'forwardAuth'))
    throw build.error(['graphql', ...path], 'is met by nobody: auth: none establishes who calls for no one')
  try {
    const refusalOf = compileAuthorization(asked, build.textPlace('graphql', undefined))
    return (x) => x.principal !== undefined && refusalOf(x.principal, x) === undefined
  } catch (error) {
    const within = error instanceof Mistake ? error.path : []
    throw build.error(['graphql', ...path, ...within], messageOf(error))
  }
}

async function persisted(
  build: Build,
  { store, entries, bytes, ttl }: GraphqlConfig['persistedQueries'],
): Promise<GraphqlOptions['persisted']> {
  const { PersistedQueries } = await import('./front-ends/graphql/requests/persisted-queries.ts')
  const { redis } = build.host(undefined)
  if (store === 'redis' && build.config.stores.redis === undefined)
    throw build.error(
      ['graphql', 'persistedQueries', 'store'],
      'is redis, but stores.redis is not configured',
    )
  const shared =
    store === 'memory' || redis === undefined
      ? undefined
      : new RedisTexts(redis, { prefix: 'trivium:graphql:persisted:', ttlMs: ttl })
  return new PersistedQueries({ entries, bytes }, shared)
}

async function trusted(
  build: Build,
  { manifests, mode, exempt }: NonNullable<GraphqlConfig['trustedDocuments']>,
): Promise<GraphqlOptions['trusted']> {
  const { TrustedDocuments } = await import('./front-ends/graphql/requests/trusted-documents.ts')
  const path = ['trustedDocuments', 'exempt']
  return new TrustedDocuments({
    documents: await readManifests(build, manifests),
    mode,
    exempt: exempt === undefined ? () => false : meets(build, exempt, path),
    log: build.log,
  })
}

/** Throws a ConfigError for a file that is no manifest, and for an id that stands for two documents. */
async function readManifests(build: Build, patterns: readonly string[]) {
  const { readManifest } = await import('./front-ends/graphql/requests/read-manifest.ts')
  const path = ['graphql', 'trustedDocuments', 'manifests']
  const known = new Map<string, { readonly id: string; readonly text: string; readonly file: string }>()
  for (const absolute of watchedFiles(build, patterns, path)) {
    const file = relative(build.folder, absolute)
    const wrong = (message: string): Error => build.error(path, `${file} ${message}`)
    let documents: ReturnType<typeof readManifest>
    try {
      documents = readManifest(build.read(absolute, path))
    } catch (error) {
      throw wrong(messageOf(error))
    }
    for (const { id, text } of documents) {
      const other = known.get(id)
      if (other !== undefined && other.text !== text)
        throw wrong(
          `has another document under the id "${id}" than ${other.file === file ? 'before' : other.file}`,
        )
      known.set(id, { id, text, file })
    }
  }
  return [...known.values()]
}
