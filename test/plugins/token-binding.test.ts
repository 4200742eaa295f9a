import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import { createIdentity } from '../../src/plugins/identity/identity.ts'
import { identityPlugin } from '../../src/plugins/identity/identity-plugin.ts'
import { exchange, host, policy } from './harness.ts'
import { json, startProvider } from './provider-server.ts'
import { attackedIssuers, genuine } from './token-attacks.ts'

const certificate = Buffer.from('the DER of a certificate')
const fingerprint = hash('sha256', certificate)
const thumbprint = hash('sha256', certificate, 'base64url')
const other = hash('sha256', 'another one', 'base64url')
const validity = { alternativeNames: [], validFrom: 0, validTo: 4e12 }
const shown = { subject: 'CN=ann', fingerprint, ...validity }
const stranger = { subject: 'CN=eve', fingerprint: hash('sha256', 'hers'), ...validity }

// RFC 8705 section 3, RFC 9449 section 6, RFC 7800 section 3.1.
const cases: readonly [string, unknown, typeof shown | undefined, boolean][] = [
  ['bound to the certificate of the connection', { 'x5t#S256': thumbprint }, shown, true],
  ['bound to a certificate, on a connection with another', { 'x5t#S256': thumbprint }, stranger, false],
  ['bound to a certificate, on a connection without', { 'x5t#S256': thumbprint }, undefined, false],
  ['bound to another certificate', { 'x5t#S256': other }, shown, false],
  ['bound to a certificate and a key', { 'x5t#S256': thumbprint, jkt: other }, shown, false],
  ['bound to a key', { jkt: other }, shown, false],
  ['bound to an empty text, on a connection without a certificate', { 'x5t#S256': '' }, undefined, false],
  ['bound to nothing that can be read', 'x', shown, false],
  ['bound to null', null, shown, false],
  ['bound to nothing', undefined, undefined, true],
]
for (const [what, cnf, clientCertificate, accepted] of cases) {
  test(`a token is ${accepted ? 'accepted' : 'refused'}: ${what}`, async (t) => {
    const provider = await startProvider(t)
    provider.answers.set('/', json({ active: true, sub: 'ann', ...(cnf === undefined ? {} : { cnf }) }))
    const jwt = attackedIssuers.map((one) => ({ ...one, clockSkewMs: 0 }))
    const server = { issuer: 'https://id.example', url: provider.url, clientId: 'a', clientSecret: 'b' }
    const rules = { clockSkewMs: 0, cacheForMs: 60_000, timeoutMs: 9_000, concurrency: 1, perSecond: 9 }
    const introspection = [{ ...server, ...rules }]
    const identity = createIdentity({ jwt, introspection, apiKeys: {}, consumers: [] }, host())
    const plugins = [identityPlugin(identity, policy())]
    for (const token of [await genuine({ cnf }), 'opaque']) {
      for (const time of ['first', 'second']) {
        const headers = { authorization: `Bearer ${token}` }
        const x = await exchange({ plugins, request: { headers, clientCertificate } }).run()
        const says = `${time} time: ${x.error?.cause}`
        assert.equal(x.error?.reason, accepted ? undefined : 'JWT_INVALID', says)
        assert.equal(x.principal?.id, accepted ? 'ann' : undefined, says)
      }
    }
  })
}

test('a bound token that its owner has used is refused to others', async () => {
  const jwt = attackedIssuers.map((one) => ({ ...one, clockSkewMs: 0 }))
  const identity = createIdentity({ jwt, apiKeys: {}, consumers: [] }, host())
  const plugins = [identityPlugin(identity, policy())]
  const headers = { authorization: `Bearer ${await genuine({ cnf: { 'x5t#S256': thumbprint } })}` }
  const ask = async (clientCertificate: typeof shown): Promise<string | undefined> =>
    (await exchange({ plugins, request: { headers, clientCertificate } }).run()).error?.reason
  assert.deepEqual(
    [await ask(shown), await ask(stranger), await ask(shown)],
    [undefined, 'JWT_INVALID', undefined],
  )
})
