import type { Build } from './build.ts'
import { messageOf } from './core/message-of.ts'
import type { Plugin } from './core/plugin.ts'
import { openPolicy } from './core/policy.ts'
import type { AuthEndpoint } from './front-ends/auth/front-end.ts'
import { InternalTokens } from './plugins/identity/internal-tokens.ts'
import { type Told, tellBackends } from './plugins/identity/tell-backends.ts'

/** How the upstreams of a configuration are told who calls. */
export interface BackendIdentity {
  /** The last plugin of every plan. */
  readonly plugin: Plugin
  /** Where backends find the keys of the tokens; undefined: there are none to be found. */
  readonly endpoint: AuthEndpoint | undefined
}

export function buildBackendIdentity(build: Build): BackendIdentity {
  const { auth, upstreams } = build.config
  const config = auth.internalToken
  const tokens = config && internalTokens(build, config)
  if (config?.header === 'authorization') {
    const { routes, graphql, grpc } = build.config
    const places = [...routes, ...(graphql ? [graphql] : []), ...Object.values(grpc?.services ?? {})]
    if (places.some(({ forwardCredentials }) => forwardCredentials))
      throw build.error(
        ['auth', 'internalToken', 'header'],
        'cannot be authorization where forwardCredentials has that of the client passed on',
      )
  }
  const told = new Map<string, Told>()
  for (const [name, { identity }] of Object.entries(upstreams)) {
    if (config === undefined && (identity === 'token' || identity === 'both'))
      throw build.error(['upstreams', name, 'identity'], `"${identity}" needs auth.internalToken`)
    told.set(name, identity ?? config?.send ?? 'headers')
  }
  const { now } = build.host(undefined)
  const plugin = tellBackends({
    told,
    tokens,
    header: config?.header ?? '',
    audience: (upstreamName) => config?.audience ?? upstreamName,
    now,
  })
  const endpoint =
    config === undefined || tokens === undefined || tokens.publicKeys.length === 0
      ? undefined
      : keysEndpoint(config.jwksPath, tokens)
  return { plugin, endpoint }
}

type Config = NonNullable<Build['config']['auth']['internalToken']>

function internalTokens(build: Build, { expiresIn, ...config }: Config): InternalTokens {
  try {
    return new InternalTokens({ ...config, expiresInMs: expiresIn })
  } catch (error) {
    const [, key = '', index, message] = /^(\w+)(?:\[(\d+)\])?: (.*)$/s.exec(messageOf(error)) ?? []
    const path = ['auth', 'internalToken', key, ...(index === undefined ? [] : [Number(index)])]
    throw build.errorIn(path, message ?? messageOf(error))
  }
}

/** Public keys: for everybody, and to be kept for a while (RFC 7517 section 5). */
function keysEndpoint(path: string, { publicKeys }: InternalTokens): AuthEndpoint {
  const body = JSON.stringify({ keys: publicKeys })
  const id = 'internal-jwks'
  return {
    id,
    path,
    methods: ['GET'],
    policy: openPolicy(id),
    origin: 'auth.internalToken.jwksPath',
    serve: (x) =>
      x.answer(
        200,
        ['Content-Type', 'application/jwk-set+json', 'Cache-Control', 'public, max-age=300'],
        body,
      ),
  }
}
