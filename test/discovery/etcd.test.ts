import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { type TestContext, test } from 'node:test'
import { providerOf } from '../../src/build-discovery.ts'
import { ServiceRegistry } from '../../src/discovery/service-registry.ts'
import { makeAuthority } from '../certificates.ts'
import { base64, type Etcd, startEtcd } from '../services/etcd.ts'
import { freePort } from '../services/free-port.ts'
import { ownFolder } from '../services/own-process.ts'
import { startBackend } from '../world.ts'
import { type Findings, follow, said } from './findings.ts'

interface Options {
  readonly user?: string
  readonly password?: string
  readonly resync?: number
  readonly timeout?: number
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string }
}

function followEtcd(t: TestContext, endpoints: readonly string[], options: Options = {}): Findings {
  const { user, password = '', resync = 60_000, timeout = 5_000 } = options
  const tls = options.tls && { insecureSkipVerify: false, ...options.tls }
  const config = {
    type: 'etcd',
    prefix: '/users/',
    endpoints: [...endpoints],
    password,
    resync,
    timeout,
  } as const
  const provider = providerOf({ ...config, endpoints: [...endpoints], user, tls }, new ServiceRegistry())
  return follow(t, provider)
}

async function start(t: TestContext): Promise<Etcd> {
  const etcd = await startEtcd()
  t.after(etcd.kill)
  return etcd
}

const [a, b, c] = ['http://10.0.0.1:1', 'http://10.0.0.2:2', 'http://10.0.0.3:3'] as const
const lists =
  (...urls: readonly string[]) =>
  ({ targets = [] }: { readonly targets?: readonly { readonly url: string }[] }): boolean =>
    JSON.stringify(targets.map(({ url }) => url).sort()) === JSON.stringify(urls)

test('the keys under the prefix are the targets, and every change of them is followed', async (t) => {
  const etcd = await start(t)
  await etcd.put('/users/a', a)
  await etcd.put('/users2/x', 'http://10.6.6.6:6')
  await etcd.put('/user', 'http://10.6.6.6:6')
  const findings = followEtcd(t, [etcd.url])
  assert.deepEqual(await findings.next(), { targets: [{ url: a, weight: 100, priority: 0 }], skipped: [] })
  await etcd.put('/users/b', JSON.stringify({ url: `${b}/`, weight: 7, priority: 1, zone: 'x' }))
  const { targets = [] } = await findings.next(lists(a, b))
  assert.deepEqual(
    targets.find(({ url }) => url === b),
    { url: b, weight: 7, priority: 1 },
  )
  await etcd.put('/users/a', c)
  await findings.next(lists(b, c))
  await etcd.delete('/users/b')
  await findings.next(lists(c))
})

test('a key whose lease is over is gone', async (t) => {
  const etcd = await start(t)
  const { ID } = await etcd.call('/v3/lease/grant', { TTL: 1 })
  await etcd.put('/users/a', a)
  await etcd.put('/users/b', b, String(ID))
  const findings = followEtcd(t, [etcd.url])
  assert.deepEqual(said(await findings.next()), [a, b])
  await findings.next(lists(a))
})

test('a value that is no target is left out, with the reason', async (t) => {
  const etcd = await start(t)
  await etcd.put('/users/a', a)
  await etcd.put('/users/b', 'nonsense')
  await etcd.put('/users/c', '{"url": ')
  await etcd.put('/users/d', '{"url": "http://x", "weight": "much"}')
  await etcd.put('/users/e', '')
  const { targets, skipped = [] } = await followEtcd(t, [etcd.url]).next()
  assert.deepEqual(said({ targets: targets ?? [] }), [a])
  assert.equal(skipped.length, 4)
  assert.match(skipped[0] ?? '', /^\/users\/b: url: expected http:\/\/host:port/)
  assert.match(skipped[1] ?? '', /^\/users\/c: .*JSON/)
  assert.match(skipped[2] ?? '', /^\/users\/d: weight: /)
  assert.match(skipped[3] ?? '', /^\/users\/e: url: /)
})

test('the last key is deleted: the targets stay, until there is another', async (t) => {
  const etcd = await start(t)
  await etcd.put('/users/a', a)
  const findings = followEtcd(t, [etcd.url])
  await findings.next(lists(a))
  await etcd.delete('/users/a')
  assert.deepEqual(await findings.next(), { trouble: 'there are no keys under /users/' })
  await etcd.put('/users/b', 'nonsense')
  assert.match(String((await findings.next()).trouble), /^none of the keys under \/users\/ holds a target: /)
  await etcd.put('/users/b', b)
  await findings.next(lists(b))
})

test('an etcd that is killed changes nothing; started again it is followed again', async (t) => {
  const data = await ownFolder('etcd-data')
  t.after(() => rm(data, { recursive: true, force: true }))
  let etcd = await startEtcd({ data })
  t.after(() => etcd.kill())
  await etcd.put('/users/a', a)
  const findings = followEtcd(t, [etcd.url])
  await findings.next(lists(a))
  await etcd.kill()
  const trouble = await findings.next()
  assert.equal(trouble.targets, undefined)
  assert.match(String(trouble.trouble), new RegExp(`^${etcd.url}: `))
  etcd = await startEtcd({ data, port: etcd.port })
  await findings.next(lists(a))
  await etcd.put('/users/b', b)
  await findings.next(lists(a, b))
})

test('an etcd that comes back with nothing changes nothing', async (t) => {
  let etcd = await startEtcd()
  t.after(() => etcd.kill())
  await etcd.put('/users/a', a)
  const findings = followEtcd(t, [etcd.url])
  await findings.next(lists(a))
  await etcd.kill()
  etcd = await startEtcd({ port: etcd.port })
  await findings.next(({ trouble = '' }) => trouble.startsWith('there are no keys'))
  assert.ok(findings.all.slice(1).every(({ targets }) => targets === undefined))
  await etcd.put('/users/b', b)
  await findings.next(lists(b))
})

test('an etcd that freezes is noticed, and followed again when it goes on', async (t) => {
  const etcd = await start(t)
  await etcd.put('/users/a', a)
  const findings = followEtcd(t, [etcd.url], { resync: 100, timeout: 500 })
  await findings.next(lists(a))
  etcd.pause()
  const trouble = await findings.next((finding) => finding.trouble !== undefined)
  assert.equal(trouble.targets, undefined)
  etcd.resume()
  await findings.next(lists(a))
  await etcd.put('/users/b', b)
  await findings.next(lists(a, b))
})

test('the next member is asked at once when one is down, without trouble', async (t) => {
  const etcd = await start(t)
  await etcd.put('/users/a', a)
  const gone = `http://127.0.0.1:${await freePort()}`
  const findings = followEtcd(t, [gone, etcd.url])
  await findings.next(lists(a))
  assert.equal(findings.all.length, 1)
})

test('a compaction does no harm: keys are read anew all the time', async (t) => {
  const etcd = await start(t)
  await etcd.put('/users/a', a)
  const findings = followEtcd(t, [etcd.url], { resync: 100 })
  await findings.next(lists(a))
  for (let i = 0; i < 20; i++) await etcd.put('/users/b', `http://10.0.1.${i}:1`)
  await findings.next(lists(a, 'http://10.0.1.19:1'))
  const { header } = (await etcd.call('/v3/kv/range', { key: base64('/') })) as {
    header: { revision: string }
  }
  await etcd.call('/v3/kv/compaction', { revision: header.revision })
  await findings.next()
  await etcd.put('/users/b', b)
  await findings.next(lists(a, b))
  assert.ok(findings.all.every(({ trouble }) => trouble === undefined))
})

test('a watch whose revision was compacted is begun anew', async (t) => {
  // What etcd 3.4 says, as it was seen: an answer to the watch, after the one that it is created.
  let watches = 0
  let ranges = 0
  const header = { revision: '5' }
  const backend = await startBackend(t, (req, res) => {
    if (req.url === '/v3/kv/range') {
      ranges++
      res.end(JSON.stringify({ header, kvs: [{ key: base64('/users/a'), value: base64(a) }] }))
      return
    }
    watches++
    res.write(`${JSON.stringify({ result: { header, created: true } })}\n`)
    if (watches > 1) return
    res.end(`${JSON.stringify({ result: { header, canceled: true, compact_revision: '9' } })}\n`)
  })
  const findings = followEtcd(t, [backend.url])
  await findings.next(lists(a))
  const { trouble } = await findings.next()
  assert.equal(trouble, `${backend.url}: the watch was cancelled: its revision was compacted`)
  await findings.next(lists(a))
  assert.equal(ranges, 2)
})

const users = { root: 'root', gateway: 'reader' } as const

async function demandUsers(etcd: Etcd): Promise<void> {
  for (const [name, role] of Object.entries(users)) {
    await etcd.call('/v3/auth/user/add', { name, password: `${name}-password` })
    await etcd.call('/v3/auth/role/add', { name: role })
    await etcd.call('/v3/auth/user/grant', { user: name, role })
  }
  const perm = { permType: 'READ', key: base64('/users/'), range_end: base64('/users0') }
  await etcd.call('/v3/auth/role/grant', { name: 'reader', perm })
  await etcd.call('/v3/auth/enable', {})
}

test('a user may be needed', async (t) => {
  const etcd = await start(t)
  await etcd.put('/users/a', a)
  await demandUsers(etcd)
  const findings = followEtcd(t, [etcd.url], { user: 'gateway', password: 'gateway-password', resync: 200 })
  await findings.next(lists(a))
  // The watch works too, or there would be trouble before the keys are read anew.
  await findings.next(lists(a))
  assert.ok(findings.all.every(({ trouble }) => trouble === undefined))
  const stranger = followEtcd(t, [etcd.url])
  assert.match(String((await stranger.next()).trouble), /etcd answered 400: etcdserver: user name is empty$/)
  const liar = followEtcd(t, [etcd.url], { user: 'gateway', password: 'guessed' })
  assert.match(String((await liar.next()).trouble), /authentication failed, invalid user ID or password$/)
})

test('a token that is no longer valid is replaced', async (t) => {
  const etcd = await start(t)
  await etcd.put('/users/a', a)
  await demandUsers(etcd)
  const findings = followEtcd(t, [etcd.url], { user: 'gateway', password: 'gateway-password', resync: 100 })
  await findings.next(lists(a))
  // All tokens end with that.
  const { token } = await etcd.call('/v3/auth/authenticate', { name: 'root', password: 'root-password' })
  const headers = { authorization: String(token) }
  const disabled = await fetch(`${etcd.url}/v3/auth/disable`, { method: 'POST', body: '{}', headers })
  assert.equal(disabled.status, 200)
  await etcd.call('/v3/auth/enable', {})
  for (let later = findings.all.length; findings.all.length < later + 3; ) await findings.next()
  assert.ok(findings.all.at(-1)?.targets !== undefined)
  assert.ok(findings.all.at(-2)?.targets !== undefined)
})

test('TLS with a certificate on both sides', async (t) => {
  const authority = makeAuthority()
  const server = authority.issue(['IP:127.0.0.1'])
  const { cert, key } = authority.issue(['gateway'])
  const etcd = await startEtcd({ tls: { ...server, clientCa: authority.cert } })
  t.after(etcd.kill)
  const noKeys = ({ trouble = '' }): boolean => trouble === 'there are no keys under /users/'
  await followEtcd(t, [etcd.url], { tls: { ca: authority.cert, cert, key } }).next(noKeys)
  const nobody = await followEtcd(t, [etcd.url], { tls: { ca: authority.cert } }).next()
  assert.match(String(nobody.trouble), /certificate required|bad certificate|ECONNRESET|closed/i)
  const strict = await followEtcd(t, [etcd.url], { tls: { cert, key } }).next()
  assert.match(String(strict.trouble), /unable to verify|self-signed/i)
})

test('answers without an end are cut off', async (t) => {
  const backend = await startBackend(t, (req, res) => {
    req.resume()
    const more = (): void => {
      while (res.write('{"x":'.repeat(20_000)));
    }
    res.on('drain', more)
    more()
  })
  const { trouble } = await followEtcd(t, [backend.url]).next()
  assert.match(String(trouble), /the answer has more than 4194304 bytes$/)
})

for (const [name, body] of [
  ['no JSON', '<html>'],
  ['other JSON', '{}'],
  ['no object', 'null'],
  ['keys that are none', '{"header":{"revision":"1"},"kvs":7}'],
] as const) {
  test(`a server that answers with ${name} is in trouble, not us`, async (t) => {
    const backend = await startBackend(t, (_req, res) => void res.end(body))
    const { trouble, targets } = await followEtcd(t, [backend.url]).next()
    assert.equal(targets, undefined)
    assert.match(String(trouble), new RegExp(`^${backend.url}: the answer is (?:no JSON|none of etcd)$`))
  })
}
