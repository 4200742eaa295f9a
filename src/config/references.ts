import { asksForSomething } from '../core/authorization.ts'
import type { CanaryConfig } from './canary-keys.ts'
import { issuerProblems } from './issuer-problems.ts'
import type { MirrorConfig } from './mirror-keys.ts'
import { wordHint } from './nearest-word.ts'
import type { Config } from './schema.ts'

/** A mistake that only shows when parts of the configuration are compared, by the path of its key. */
export interface ReferenceProblem {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

/** A place whose upstream may have a new version beside it. */
interface Released {
  readonly upstream?: string | undefined
  readonly canary?: CanaryConfig | undefined
  readonly auth: string
}

/** A place whose calls may be copied. */
interface Mirrored {
  readonly upstream?: string | undefined
  readonly mirror?: MirrorConfig | undefined
}

interface Policy {
  readonly auth: string
  readonly authorize: Config['routes'][number]['authorize'] | undefined
}

/** Names that point nowhere and ids that stand twice. */
export function checkReferences(config: Config): ReferenceProblem[] {
  const problems: ReferenceProblem[] = []
  const upstreams = Object.keys(config.upstreams)
  const needUpstream = (name: string, path: readonly PropertyKey[]): void => {
    if (upstreams.includes(name)) return
    problems.push({ path, message: `there is no upstream "${name}"${wordHint(name, upstreams)}` })
  }
  const needIdentity = (auth: string, path: readonly PropertyKey[]): void => {
    const { jwt, introspection } = config.auth
    if (auth === 'none' || config.consumers.length + jwt.length + introspection.length > 0) return
    if (config.auth.issuer !== undefined) return
    problems.push({
      path,
      message:
        'needs an identity, but there are no consumers, no auth.jwt, no auth.introspection and no auth.issuer; add one, or set auth: none',
    })
  }

  const needCaller = ({ auth, authorize }: Policy, path: readonly PropertyKey[]): void => {
    const consumers = config.consumers.map(({ id }) => id)
    authorize?.consumers.forEach((id, index) => {
      if (consumers.includes(id)) return
      const message = `there is no consumer "${id}"${wordHint(id, consumers)}`
      problems.push({ path: [...path, 'authorize', 'consumers', index], message })
    })
    if (auth !== 'none' || authorize === undefined || !asksForSomething(authorize)) return
    problems.push({ path: [...path, 'authorize'], message: 'is not checked where auth is none' })
  }

  for (const [name, { fallback }] of Object.entries(config.upstreams)) {
    if (fallback === undefined) continue
    const path = ['upstreams', name, 'fallback', 'upstream']
    needUpstream(fallback.upstream, path)
    const circle = circleOf(name, config.upstreams)
    if (circle !== undefined) problems.push({ path, message: `falls back on itself: ${circle}` })
  }
  const needCanary = (place: Released, path: readonly PropertyKey[]): void => {
    const { canary, upstream, auth } = place
    if (canary === undefined) return
    needUpstream(canary.upstream, [...path, 'canary', 'upstream'])
    const issue = (key: readonly string[], message: string) =>
      problems.push({ path: [...path, 'canary', ...key], message })
    if (canary.upstream === upstream)
      issue(['upstream'], `"${upstream}" is the upstream that it is released beside`)
    if (auth === 'none' && canary.match.users.length > 0)
      issue(['match', 'users'], 'is not checked where auth is none')
  }
  const needMirror = ({ upstream, mirror }: Mirrored, path: readonly PropertyKey[]): void => {
    if (mirror === undefined) return
    const ofMirror = [...path, 'mirror', 'upstream']
    needUpstream(mirror.upstream, ofMirror)
    if (mirror.upstream === upstream)
      problems.push({ path: ofMirror, message: `"${upstream}" is the upstream that is mirrored` })
  }

  config.routes.forEach((route, index) => {
    if (route.upstream !== undefined) needUpstream(route.upstream, ['routes', index, 'upstream'])
    needCanary(route, ['routes', index])
    route.aggregate?.parts.forEach(({ rest }, part) => {
      const path = ['routes', index, 'aggregate', 'parts', part, 'rest', 'upstream']
      if (rest !== undefined) needUpstream(rest.upstream, path)
    })
    needMirror(route, ['routes', index])
    needIdentity(route.auth, ['routes', index])
    needCaller(route, ['routes', index])
    if (route.rewrite.path !== undefined && route.rewrite.stripPrefix !== undefined) {
      problems.push({
        path: ['routes', index, 'rewrite'],
        message: 'path and stripPrefix exclude each other',
      })
    }
  })
  if (config.graphql !== undefined) {
    needIdentity(config.graphql.auth, ['graphql'])
    needCaller(config.graphql, ['graphql'])
    for (const [name, subgraph] of Object.entries(config.graphql.subgraphs)) {
      if (subgraph.upstream !== undefined)
        needUpstream(subgraph.upstream, ['graphql', 'subgraphs', name, 'upstream'])
      needCanary({ ...subgraph, auth: config.graphql.auth }, ['graphql', 'subgraphs', name])
      needMirror(subgraph, ['graphql', 'subgraphs', name])
    }
  }
  needIdentity(config.apiDocs.openapi.auth, ['apiDocs', 'openapi'])
  needCaller(config.apiDocs.openapi, ['apiDocs', 'openapi'])
  for (const key of ['openapi', 'ui'] as const)
    if (`${config.apiDocs[key].path}/`.startsWith(`${config.admin.path}/`))
      problems.push({ path: ['apiDocs', key, 'path'], message: 'is within admin.path' })
  if (config.auth.check !== undefined) {
    needIdentity('required', ['auth', 'check'])
    needCaller({ auth: 'required', authorize: config.auth.check.authorize }, ['auth', 'check'])
  }
  if (config.grpc !== undefined) problems.push(...sourcesOf(config.grpc))
  config.grpc?.reflection.forEach(({ upstream }, index) => {
    needUpstream(upstream, ['grpc', 'reflection', index, 'upstream'])
  })
  for (const [name, service] of Object.entries(config.grpc?.services ?? {})) {
    needUpstream(service.upstream, ['grpc', 'services', name, 'upstream'])
    needCanary(service, ['grpc', 'services', name])
    needMirror(service, ['grpc', 'services', name])
    needIdentity(service.auth, ['grpc', 'services', name])
    needCaller(service, ['grpc', 'services', name])
    for (const [method, own] of Object.entries(service.methods)) {
      const { auth = service.auth, authorize } = own
      needIdentity(auth, ['grpc', 'services', name, 'methods', method])
      needCaller({ auth, authorize }, ['grpc', 'services', name, 'methods', method])
    }
  }
  problems.push(...issuerProblems(config))
  if (config.auth.tokens.header === config.auth.apiKeys.header)
    problems.push({ path: ['auth', 'tokens', 'header'], message: 'is the header of API keys' })
  problems.push(...repeated('routes', config.routes), ...repeated('consumers', config.consumers))
  return problems
}

/** How the fallbacks of an upstream lead back to it; undefined when they do not. */
function circleOf(name: string, upstreams: Config['upstreams']): string | undefined {
  const way = [name]
  for (let next = upstreams[name]?.fallback; next !== undefined; next = upstreams[next.upstream]?.fallback) {
    way.push(next.upstream)
    if (next.upstream === name) return way.join(' -> ')
    // A circle further on is reported where it begins.
    if (way.indexOf(next.upstream) < way.length - 1) return undefined
  }
  return undefined
}

function sourcesOf({ protos, descriptorSets, reflection }: NonNullable<Config['grpc']>): ReferenceProblem[] {
  if (protos.length + descriptorSets.length + reflection.length === 0)
    return [{ path: ['grpc'], message: 'needs protos, descriptorSets or reflection to know its services' }]
  const upstreams = reflection.map(({ upstream }) => upstream)
  return upstreams.flatMap((name, index) =>
    upstreams.indexOf(name) === index
      ? []
      : [{ path: ['grpc', 'reflection', index, 'upstream'], message: `upstream "${name}" stands twice` }],
  )
}

function repeated(section: string, items: readonly { readonly id: string }[]): ReferenceProblem[] {
  return items.flatMap((item, index) =>
    items.findIndex((other) => other.id === item.id) === index
      ? []
      : [{ path: [section, index, 'id'], message: `the id "${item.id}" stands twice` }],
  )
}
