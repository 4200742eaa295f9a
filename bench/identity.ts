import { createSecretKey } from 'node:crypto'
import { createLocalJWKSet, exportJWK, generateKeyPair, type JWTVerifyGetKey, jwtVerify, SignJWT } from 'jose'
import type { Exchange } from '../src/core/exchange.ts'
import type { Plugin } from '../src/core/plugin.ts'
import { createApiKey, hashApiKey } from '../src/plugins/identity/api-key.ts'
import { createIdentity, type Identity, type IdentityOptions } from '../src/plugins/identity/identity.ts'
import { identityPlugin } from '../src/plugins/identity/identity-plugin.ts'
import { rateLimit } from '../src/plugins/rate-limit/rate-limit.ts'
import { exchange, host, make, policy, type TestExchange } from '../test/plugins/harness.ts'
import { type Aim, type ContestResult, type Figures, type Pace, resultOf } from './contest.ts'

const decisionsPerTurn = 20_000
const tokensPerTurn = 500
const warmUpRounds = 3
const roundsPerRound = 4
/** What a decision that needs no signature may cost, in microseconds. */
const quick: readonly Aim[] = [{ atMost: 5 }]
const twiceJose: readonly Aim[] = [{ reference: 'jose alone', atMost: 2 }]

const issuer = 'https://id.example'
const audience = 'api'
const secret = 'a secret that has thirty-two bytes and more'

/** One way to decide about a request, prepared so that only the deciding is measured; returns how many decisions it made. */
type Turn = () => Promise<() => Promise<number>>

/** CPU time of finding out who a request comes from. */
export async function measureIdentity({ rounds }: Pick<Pace, 'rounds'>): Promise<ContestResult[]> {
  const results: ContestResult[] = []
  const contest = async (title: string, aims: readonly Aim[], ways: Readonly<Record<string, Turn>>) => {
    results.push(
      resultOf({ title: `Identity: ${title}`, aims }, await takeTurns(ways, rounds * roundsPerRound)),
    )
  }
  await contest('API key, one of 1,000', quick, { gateway: keyTurn([]) })
  const limit = make(rateLimit, { limit: 1_000_000, window: '1s', by: 'consumer' })
  await contest('API key and a limit in memory', quick, { gateway: keyTurn([limit]) })
  await contest('JSON Web Token that was verified before, one of 1,000', quick, {
    gateway: await cachedTurn(),
  })
  for (const algorithm of ['HS256', 'RS256', 'ES256'] as const) {
    const signer = await signerOf(algorithm)
    await contest(`${algorithm} token, for the first time`, twiceJose, {
      gateway: async () => {
        const { identity, requests } = await fresh(signer)
        return async () => {
          for (const x of requests) await identity.identify(x)
          return requests.length
        }
      },
      'jose alone': async () => {
        const tokens = await signer.tokens(tokensPerTurn)
        const rules = { issuer, audience, algorithms: [algorithm], requiredClaims: ['exp'] }
        return async () => {
          for (const token of tokens) await jwtVerify(token, signer.key, rules)
          return tokens.length
        }
      },
    })
  }
  return results
}

/** One of a thousand consumers with a key, and what stands behind identity. */
function keyTurn(more: readonly Plugin[]): Turn {
  const keys = Array.from({ length: 1_000 }, () => createApiKey('bench'))
  const consumers = keys.map((key, i) => ({
    id: `c${i}`,
    roles: [],
    scopes: [],
    keys: [{ hash: hashApiKey(key) }],
  }))
  const identity = createIdentity({ jwt: [], apiKeys: {}, consumers }, host())
  const plugins = [identityPlugin(identity, policy()), ...more]
  return async () => {
    const requests = Array.from({ length: decisionsPerTurn }, (_, i) =>
      exchange({ plugins, request: { headers: { 'x-api-key': keys[i % keys.length] } } }),
    )
    return () => admitAll(requests)
  }
}

async function cachedTurn(): Promise<Turn> {
  const signer = await signerOf('ES256')
  const { identity, requests } = await fresh(signer, 1_000)
  for (const x of requests) await identity.identify(x)
  const plugins = [identityPlugin(identity, policy())]
  return async () => {
    const again = Array.from({ length: decisionsPerTurn }, (_, i) =>
      exchange({ plugins, request: requests[i % requests.length]?.request ?? {} }),
    )
    return () => admitAll(again)
  }
}

async function admitAll(requests: readonly TestExchange[]): Promise<number> {
  for (const x of requests) {
    for (const hook of x.hooks.onRequest) {
      const waits = hook(x)
      if (waits instanceof Promise) await waits
    }
    if (x.principal === undefined) throw new Error('nobody was found')
  }
  return requests.length
}

interface Signer {
  readonly options: IdentityOptions
  readonly key: JWTVerifyGetKey
  tokens(count: number): Promise<string[]>
}

async function signerOf(algorithm: 'HS256' | 'RS256' | 'ES256'): Promise<Signer> {
  const common = { issuer, audience, algorithms: [algorithm], clockSkewMs: 0 }
  const sign = (count: number, key: Parameters<SignJWT['sign']>[0]): Promise<string[]> => {
    const exp = Math.floor(Date.now() / 1_000) + 3_600
    const claims = {
      iss: issuer,
      aud: audience,
      exp,
      iat: exp - 3_600,
      scope: 'read write',
      roles: ['reader'],
    }
    const one = (i: number): Promise<string> =>
      new SignJWT({ ...claims, sub: `user-${i}`, jti: crypto.randomUUID() })
        .setProtectedHeader({ alg: algorithm, kid: 'k' })
        .sign(key)
    return Promise.all(Array.from({ length: count }, (_, i) => one(i)))
  }
  if (algorithm === 'HS256') {
    const key = createSecretKey(Buffer.from(secret))
    const options = { jwt: [{ ...common, secret }], apiKeys: {}, consumers: [] }
    return { options, key: async () => key, tokens: (count) => sign(count, key) }
  }
  const { publicKey, privateKey } = await generateKeyPair(algorithm)
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'k' }]
  const options = { jwt: [{ ...common, jwks: JSON.stringify({ keys }) }], apiKeys: {}, consumers: [] }
  return { options, key: createLocalJWKSet({ keys }), tokens: (count) => sign(count, privateKey) }
}

/** An identity that remembers nothing yet, and requests with different tokens. */
async function fresh(
  { options, tokens }: Signer,
  count = tokensPerTurn,
): Promise<{ readonly identity: Identity; readonly requests: readonly Exchange[] }> {
  const identity = createIdentity(options, host())
  const requests = (await tokens(count)).map((token) =>
    exchange({ request: { headers: { authorization: `Bearer ${token}` } } }),
  )
  return { identity, requests }
}

async function takeTurns(
  ways: Readonly<Record<string, Turn>>,
  rounds: number,
): Promise<Map<string, Figures[]>> {
  const turns = new Map(Object.keys(ways).map((name) => [name, [] as Figures[]]))
  for (let round = -warmUpRounds; round < rounds; round++) {
    for (const [name, prepare] of Object.entries(ways)) {
      const run = await prepare()
      const before = process.cpuUsage()
      const decisions = await run()
      const { user, system } = process.cpuUsage(before)
      if (round >= 0) turns.get(name)?.push({ cpuMicros: (user + system) / decisions })
    }
  }
  return turns
}
