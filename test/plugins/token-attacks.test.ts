import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createIdentity } from '../../src/plugins/identity/identity.ts'
import { identityPlugin } from '../../src/plugins/identity/identity-plugin.ts'
import { exchange, host, policy, type TestExchange } from './harness.ts'
import { startKeyServer } from './key-server.ts'
import { attackedIssuers, byHand, evilKeys, genuine, tokenAttacks } from './token-attacks.ts'

const jwt = attackedIssuers.map((issuer) => ({ ...issuer, clockSkewMs: 30_000 }))
const identity = createIdentity({ jwt, apiKeys: {}, consumers: [] }, host())

function send(authorization: string, auth: 'required' | 'optional' = 'optional'): Promise<TestExchange> {
  const plugins = [identityPlugin(identity, policy({ auth }))]
  return exchange({ plugins, request: { headers: { authorization } } }).run()
}

for (const { name, rule, authorization } of tokenAttacks) {
  test(`refused where a token is optional (${rule}): ${name}`, async () => {
    const evil = await startKeyServer(evilKeys)
    try {
      const x = await send(await authorization(evil.uri))
      assert.equal(x.error?.reason, 'JWT_INVALID')
      assert.equal(x.error.message, 'The token is not valid.')
      assert.equal(x.principal, undefined)
      assert.equal(evil.fetches, 0, "the attacker's key set was fetched")
    } finally {
      await evil.close()
    }
  })
}

const now = (): number => Math.floor(Date.now() / 1_000)
const house = (): object => ({ iss: 'https://house.example', aud: 'api', sub: 'ann', exp: now() + 300 })
const accepted: readonly [string, () => string | Promise<string>][] = [
  ['the token that the attacks are made from', async () => `Bearer ${await genuine()}`],
  ['the same by hand', () => `Bearer ${byHand(house())}`],
  ['bearer in lower case (RFC 9110 11.1)', async () => `bearer ${await genuine()}`],
  ['BEARER in upper case (RFC 9110 11.1)', async () => `BEARER ${await genuine()}`],
  ['two blanks (RFC 9110 11.4)', async () => `Bearer  ${await genuine()}`],
  ['our aud in a list (RFC 7519 4.1.3)', async () => `Bearer ${await genuine({ aud: ['a', 'api'] })}`],
  ['nbf within the skew', async () => `Bearer ${await genuine({ nbf: now() + 20 })}`],
  ['iat within the skew', async () => `Bearer ${await genuine({ iat: now() + 20 })}`],
  ['exp past within the skew', async () => `Bearer ${await genuine({ exp: now() - 20 })}`],
  ['a fraction of a second (RFC 7519 2)', async () => `Bearer ${await genuine({ iat: now() - 0.5 })}`],
  [
    'one name in two objects',
    () => `Bearer ${byHand({ ...house(), a: { b: 1 }, c: [{ b: 1 }, { b: ':{' }] })}`,
  ],
]
for (const [name, authorization] of accepted) {
  test(`accepted: ${name}`, async () => {
    const x = await send(await authorization(), 'required')
    assert.equal(x.error, undefined, String(x.error?.cause))
    assert.equal(x.principal?.id, 'ann')
  })
}

test('a claim called __proto__ gives nobody a role', async () => {
  const claims = JSON.stringify(house()).replace(/}$/, ',"__proto__":{"roles":["admin"]}}')
  const x = await send(`Bearer ${byHand(claims)}`, 'required')
  assert.deepEqual(x.principal?.roles, [])
})

for (const scheme of ['Basic', 'Bearers', 'Bearer2', 'DPoP']) {
  test(`the scheme ${scheme} is not ours: nobody is who sends it`, async () => {
    const token = await genuine()
    assert.equal((await send(`${scheme} ${token}`)).principal, undefined)
    assert.equal((await send(`${scheme} ${token}`, 'required')).error?.reason, 'NO_CREDENTIALS')
  })
}
