import { accessSync, constants, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { JWTPayload } from 'jose'
import { parseDocument } from 'yaml'
import { z } from 'zod'
import type { Build } from './build.ts'
import { type IssuerConfig, userSchema } from './config/issuer-keys.ts'
import { formatPath } from './config/problem.ts'
import { messageOf } from './core/message-of.ts'
import { openPolicy } from './core/policy.ts'
import type { AuthEndpoint } from './front-ends/auth/front-end.ts'
import { issuerEndpoints } from './front-ends/auth/issuer-endpoints.ts'
import { AccessTokens, accessTokenType, signingAlgorithms } from './issuer/access-tokens.ts'
import { AttemptCounts } from './issuer/attempt-counts.ts'
import type { Attempts } from './issuer/attempts.ts'
import { HashTurns } from './issuer/hash-turns.ts'
import { Issuer, type SessionRevocations } from './issuer/issuer.ts'
import { KeyRing } from './issuer/key-ring.ts'
import { KeysInFile, KeysInMemory } from './issuer/key-storage.ts'
import { MemoryAttempts } from './issuer/memory-attempts.ts'
import { MemorySessions } from './issuer/memory-sessions.ts'
import { RedisAttempts } from './issuer/redis-attempts.ts'
import { RedisSessions } from './issuer/redis-sessions.ts'
import { type UserEntry, UserMistake, Users } from './issuer/users.ts'
import type { PluginHost } from './pipeline/registry.ts'
import { survivesAsHeader } from './plugins/identity/identity-headers.ts'
import type { JwtOptions } from './plugins/identity/jwt-issuer.ts'
import { tokenReader } from './plugins/identity/token-places.ts'

/** The gateway's own issuer as the rest of a configuration needs it. */
export interface BuiltIssuer {
  readonly endpoints: readonly AuthEndpoint[]
  /** By which its tokens are accepted. */
  readonly tokens: JwtOptions
}

/** How far the clocks of gateways that accept one another's tokens may be apart. */
const clockSkewMs = 5_000
/** Of one address, waiting or under way. */
const loginsPerAddress = 8

/** Undefined where the configuration has no issuer. What is in memory outlives a reload. */
export async function buildIssuer(build: Build): Promise<BuiltIssuer | undefined> {
  const config = build.config.auth.issuer
  if (config === undefined) return undefined
  const { issuer: name, audience = name, accessTokenFor } = config
  const host = build.host(undefined)
  const now = (): number => host.now()
  const users = usersOf(build, config)
  const keys = await keyRing(build, config, host)
  const tokens = new AccessTokens({ issuer: name, audience, validForMs: accessTokenFor, keys, now })
  const { queueTimeout: queueTimeoutMs, ...hashing } = config.hashing
  const issuer = new Issuer({
    users,
    tokens,
    sessions:
      host.redis === undefined
        ? host.keep(`issuer:sessions:${name}`, () => new MemorySessions(now))
        : new RedisSessions(host.redis, name),
    attempts: attemptsOf(config, host),
    turns: host.keep(
      `issuer:turns:${JSON.stringify(config.hashing)}`,
      () => new HashTurns({ ...hashing, queueTimeoutMs, perAddress: loginsPerAddress }),
    ),
    revocations: revocationsOf(build, config, now),
    sessionForMs: config.refreshTokenFor,
    sessionsPerUser: config.sessionsPerUser,
    now,
    log: build.log,
  })
  return {
    endpoints: issuerEndpoints({
      issuer,
      keys,
      paths: config.paths,
      policy: openPolicy('auth-issuer', config.plugins),
      jwksPolicy: openPolicy('auth-jwks'),
      readToken: tokenReader(build.config.auth.tokens),
    }),
    tokens: {
      issuer: name,
      audience,
      algorithms: signingAlgorithms,
      keys: {
        getKey: tokens.key,
        get version() {
          return keys.version
        },
        get trouble() {
          return keys.trouble
        },
        refresh: () => keys.refresh(),
      },
      type: accessTokenType,
      clockSkewMs,
      // Also of tokens from before it was made shorter: the end of a session is remembered for so long.
      maxAgeMs: accessTokenFor,
      requiredClaims: ['jti', 'sid', 'iat', 'cred'],
      accepts({ sub = '', cred }: JWTPayload) {
        const user = users.withId(sub)
        return user !== undefined && user.mark === cred
      },
    },
  }
}

function attemptsOf({ issuer, lockout }: IssuerConfig, host: PluginHost): Attempts {
  const { delay, maxDelay, forgetAfter, ...free } = lockout
  const limits = { ...free, delayMs: delay, maxDelayMs: maxDelay, forgetAfterMs: forgetAfter }
  if (host.redis !== undefined) return new RedisAttempts(host.redis, issuer, limits)
  const counts = host.keep(`issuer:attempts:${issuer}`, () => new AttemptCounts())
  return new MemoryAttempts(limits, { counts, now: () => host.now() })
}

function revocationsOf(build: Build, config: IssuerConfig, now: () => number): SessionRevocations {
  const { revocations } = build.identity
  const { issuer, accessTokenFor } = config
  return {
    isRevoked: ({ id: sid, userId: id, createdAt: issuedAt }) =>
      revocations.isRevoked({ id, issuer, issuedAt, via: 'jwt', roles: [], scopes: [], claims: { sid } }),
    async revoke(sid) {
      await revocations.revoke({ sid, issuer }, { expiresAt: now() + accessTokenFor })
    },
  }
}

async function keyRing(build: Build, config: IssuerConfig, host: PluginHost): Promise<KeyRing> {
  const { keys, algorithm, accessTokenFor } = config
  const place = ['auth', 'issuer', 'keys', 'file']
  const file = keys.file === '' ? undefined : resolve(build.folder, keys.file)
  if (file !== undefined) checkKeyFile(build, file, place)
  const ring = new KeyRing({
    storage:
      file === undefined
        ? host.keep(`issuer:keys:${config.issuer}`, () => {
            build.log.warn({}, 'the issuer keeps its keys in memory: all tokens end with this process')
            return new KeysInMemory()
          })
        : new KeysInFile(file),
    algorithm,
    rotateEveryMs: keys.rotateEvery,
    keptForMs: accessTokenFor + 60_000,
    now: () => host.now(),
    log: build.log,
  })
  try {
    await ring.open()
  } catch (error) {
    throw build.error(place, `${keys.file} ${messageOf(error)}`)
  }
  return ring
}

/** That of a key file, or of where it would be made. */
function checkKeyFile(build: Build, file: string, place: readonly PropertyKey[]): void {
  const found = statSync(file, { throwIfNoEntry: false })
  if (found !== undefined) {
    if ((found.mode & 0o077) !== 0)
      build.log.warn({ file }, 'others on this machine may read the private keys of the issuer: chmod 600')
    return
  }
  try {
    accessSync(dirname(file), constants.W_OK)
  } catch (error) {
    throw build.error(place, `cannot be made: ${messageOf(error)}`)
  }
}

function usersOf(build: Build, { users: written, usersFile }: IssuerConfig): Users {
  const entries = [...written, ...(usersFile === undefined ? [] : readUsers(build, usersFile))]
  const mistake = (index: number, key: string, message: string): Error => {
    if (index < written.length) return build.error(['auth', 'issuer', 'users', index, key], message)
    const text = `${usersFile} [${index - written.length}].${key}: ${message}`
    return build.error(['auth', 'issuer', 'usersFile'], text)
  }
  entries.forEach(({ name, id = name, roles, scopes }, index) => {
    const wrong = [id, ...roles, ...scopes].find((text) => !survivesAsHeader(text))
    if (wrong !== undefined)
      throw mistake(index, 'name', `"${wrong}" cannot be passed on as a header: it is too long`)
  })
  try {
    const users = new Users(entries)
    const without = entries.filter(({ passwordHash }) => passwordHash === '').map(({ name }) => name)
    if (without.length > 0) build.log.warn({ users: without }, 'users without a password cannot log in')
    if (!users.alike)
      build.log.warn({}, 'passwords are hashed in several ways: the time of a login tells who has which')
    return users
  } catch (error) {
    throw error instanceof UserMistake ? mistake(error.index, error.key, error.message) : error
  }
}

function readUsers(build: Build, file: string): readonly UserEntry[] {
  const place = ['auth', 'issuer', 'usersFile']
  const document = parseDocument(build.read(file, place), { prettyErrors: false })
  const [mistake] = document.errors
  if (mistake !== undefined) throw build.error(place, `${file}: ${mistake.message}`)
  const parsed = z.array(userSchema).safeParse(document.toJS({ maxAliasCount: 100 }) ?? [])
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw build.error(place, [file, formatPath(issue?.path ?? []), issue?.message].filter(Boolean).join(' '))
}
