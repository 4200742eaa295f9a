import type { Build } from './build.ts'
import type { Config } from './config/schema.ts'
import { FailedAttempts } from './core/failed-attempts.ts'
import { messageOf } from './core/message-of.ts'
import { createIdentity, type Identity } from './plugins/identity/identity.ts'
import type { JwtOptions } from './plugins/identity/jwt-issuer.ts'

/** Who is believed to be who, for all routes of a configuration. `own`: the tokens of the gateway's own issuer. */
export function buildIdentity(build: Build, own: JwtOptions | undefined): Identity {
  const { auth, consumers, server } = build.config
  const shown = consumers.findIndex(({ certificates }) => certificates.length > 0)
  if (shown !== -1 && (server.tls?.clientAuth ?? 'none') === 'none')
    throw build.error(
      ['consumers', shown, 'certificates'],
      'nobody is asked for a certificate: needs server.tls.clientAuth',
    )
  const usable = auth.jwt.filter((issuer) => isUsable(issuer))
  for (const { issuer } of auth.jwt.filter((issuer) => !isUsable(issuer))) {
    build.log.warn({ issuer }, 'the secret of this issuer is empty: its tokens are refused')
  }
  const { limit, window: windowMs } = auth.failures
  try {
    const identity = createIdentity(
      {
        jwt: [
          ...usable.map(({ clockSkew, maxAge, jwksRefresh, jwksMaxStale, ...issuer }) => ({
            ...issuer,
            clockSkewMs: clockSkew,
            maxAgeMs: maxAge,
            jwksRefreshMs: jwksRefresh,
            jwksMaxStaleMs: jwksMaxStale,
          })),
          ...(own === undefined ? [] : [own]),
        ],
        introspection: auth.introspection.map(({ clockSkew, cacheFor, timeout, ...server }) => ({
          ...server,
          clockSkewMs: clockSkew,
          cacheForMs: cacheFor,
          timeoutMs: timeout,
        })),
        tokens: auth.tokens,
        asksAhead: build.isOnline,
        apiKeys: auth.apiKeys,
        consumers,
        revocations: build.identity.revocations,
        managed: build.identity.keys,
        failures: build
          .host(undefined)
          .keep(`failures:${limit}:${windowMs}`, () => new FailedAttempts({ limit, windowMs })),
      },
      build.host(undefined),
    )
    build.onFree(() => identity.close())
    return identity
  } catch (error) {
    const { path, message } = placed(messageOf(error), build.config, usable)
    throw build.error(path, message)
  }
}

type Issuer = Config['auth']['jwt'][number]

/** An issuer whose secret is an environment variable that is not set refuses its tokens, rather than the whole configuration. */
function isUsable({ secret, jwks, jwksUri }: Issuer): boolean {
  return secret !== '' || jwks !== undefined || jwksUri !== undefined
}

/** The key that a message of the identity plugin begins with, as a path into the configuration, and the rest of the message. */
function placed(
  text: string,
  config: Config,
  usable: readonly Issuer[],
): { readonly path: readonly PropertyKey[]; readonly message: string } {
  const [, index = '0', key, ofIssuer = ''] = /^auth\.jwt(?:\[(\d+)\])?(?:\.(\w+))?: (.*)$/s.exec(text) ?? []
  const issuer = usable[Number(index)]
  if (ofIssuer !== '' && issuer !== undefined) {
    const path = ['auth', 'jwt', config.auth.jwt.indexOf(issuer), ...(key === undefined ? [] : [key])]
    return { path, message: ofIssuer }
  }
  const [, entry, keyOfServer, ofServer = ''] =
    /^auth\.introspection\[(\d+)\]\.(\w+): (.*)$/s.exec(text) ?? []
  if (keyOfServer !== undefined)
    return { path: ['auth', 'introspection', Number(entry), keyOfServer], message: ofServer }
  const [, id, at, part, ofKey = ''] = /^consumers "(.*?)" keys\[(\d+)\]\.(\w+): (.*)$/s.exec(text) ?? []
  const consumer = config.consumers.findIndex((one) => one.id === id)
  const [, ofId, match, ofMatch = ''] = /^consumers "(.*?)" certificates\[(\d+)\]: (.*)$/s.exec(text) ?? []
  if (match !== undefined) {
    const index = config.consumers.findIndex((one) => one.id === ofId)
    return { path: ['consumers', index, 'certificates', Number(match)], message: ofMatch }
  }
  if (part === undefined || consumer === -1) return { path: ['auth'], message: text }
  return { path: ['consumers', consumer, 'keys', Number(at), part], message: ofKey }
}
