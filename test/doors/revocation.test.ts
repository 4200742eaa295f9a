import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { SignJWT } from 'jose'
import { createApiKey, hashApiKey } from '../../src/plugins/identity/api-key.ts'
import { startBackend, startGateway } from '../world.ts'
import { everyDoor } from './grpc-doors.ts'
import { type LiveBackend, type LiveKind, liveKinds, type Watch } from './live.ts'

const issuer = 'https://id.example'
const secret = 'a secret that has thirty-two bytes and more'
const key = createApiKey('test')
const auth = { jwt: [{ issuer, audience: 'api', algorithms: ['HS256'], secret }] }
const consumers = [{ id: 'acme', keys: [{ hash: hashApiKey(key) }] }]

let tokens = 0
function tokenOf(claims: object = {}): Promise<string> {
  const exp = Math.floor(Date.now() / 1_000) + 600
  return new SignJWT({ iss: issuer, aud: 'api', sub: 'ann', exp, jti: `t${++tokens}`, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(secret))
}

for (const door of everyDoor) {
  describe(`revocations at the ${door.name} door`, () => {
    test('a token and a key that were accepted are refused from then on, and the backend hears of none', async (t) => {
      const backend = await door.start(t)
      const { url, gateway } = await startGateway(t, {
        auth,
        consumers,
        ...backend.config({ auth: 'optional' }),
      })
      const { revocations } = gateway.identity
      const token = await tokenOf({ sid: 's-1' })
      const ways = [
        [{ Authorization: `Bearer ${token}` }, { token }, 'TOKEN_REVOKED'],
        [{ Authorization: `Bearer ${token}` }, { sid: 's-1', issuer }, 'TOKEN_REVOKED'],
        [{ Authorization: `Bearer ${token}` }, { sub: 'ann', issuer }, 'TOKEN_REVOKED'],
        [{ 'X-API-Key': key }, { consumer: 'acme' }, 'KEY_REVOKED'],
      ] as const
      for (const [headers, what, reason] of ways) {
        const good = await backend.ask(url, headers)
        assert.equal(good.status, 200, await good.text())
        await revocations.revoke(what)
        const told = backend.seen.length
        const refused = await backend.ask(url, headers)
        const body = await refused.text()
        assert.deepEqual([refused.status, backend.reason(body)], [401, reason], body)
        assert.equal(backend.seen.length, told)
        await revocations.lift(what)
      }
    })
  })
}

async function open(t: TestContext, kind: LiveKind, revocation: object = {}) {
  const backend = await kind.start(t)
  const config = JSON.parse(JSON.stringify(kind.config).replaceAll('"auth":"none"', '"auth":"required"'))
  const node = await startGateway(t, {
    ...config,
    plugins: ['metrics'],
    auth: { ...auth, revocation },
    upstreams: { backend: { targets: [{ url: backend.url }] } },
  })
  const watch = async (token: string) => {
    const one = await kind.watch(t, node.url, { Authorization: `Bearer ${token}` })
    assert.equal(await one.next(), 'hello')
    return one
  }
  return { ...node, backend, watch }
}

/** Resolves when `count` of the backend's streams have ended. */
async function letGo({ seen }: LiveBackend, count: number): Promise<void> {
  while (seen.left < count) await sleep(5)
}

/** The watch hears the words, where its protocol has a way to say them, and ends; that of somebody else goes on. */
async function onlyEnds(
  { backend }: { readonly backend: LiveBackend },
  watch: Watch,
  { words, other }: { readonly words: string; readonly other: Watch },
): Promise<void> {
  const heard = await watch.next()
  if (heard === words) assert.equal(await watch.next(), 'ended')
  else assert.equal(heard, 'cut')
  backend.emit('still here')
  assert.equal(await other.next(), 'still here')
  await letGo(backend, 1)
  other.leave()
  await letGo(backend, 2)
}

for (const kind of liveKinds) {
  describe(`${kind.name}`, () => {
    test('ends when its caller is revoked, and that of somebody else goes on', async (t) => {
      const world = await open(t, kind)
      const token = await tokenOf()
      const [revoked, other] = [await world.watch(token), await world.watch(await tokenOf({ sub: 'bob' }))]
      await world.gateway.identity.revocations.revoke({ token })
      await onlyEnds(world, revoked, { words: 'The token was revoked.', other })
    })

    test('goes on where endStreams is off', async (t) => {
      const world = await open(t, kind, { endStreams: false })
      const token = await tokenOf()
      const watch = await world.watch(token)
      await world.gateway.identity.revocations.revoke({ token })
      await sleep(200)
      world.backend.emit('still here')
      assert.equal(await watch.next(), 'still here')
      watch.leave()
      await letGo(world.backend, 1)
    })

    test('ends when its token expires, where that is asked for', async (t) => {
      const world = await open(t, kind, { endStreamsAtExpiry: true })
      const watch = await world.watch(await tokenOf({ exp: Math.floor(Date.now() / 1_000) + 2 }))
      const other = await world.watch(await tokenOf())
      await onlyEnds(world, watch, { words: 'The token has expired.', other })
    })
  })
}

test('a stream that begins only after its caller was revoked ends, too', async (t) => {
  const asked = Promise.withResolvers<() => void>()
  const backend = await startBackend(t, (_req, res) => {
    asked.resolve(() => res.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: hello\n\n'))
  })
  const { url, gateway } = await startGateway(t, {
    auth,
    upstreams: { backend: { targets: [{ url: backend.url }] } },
    routes: [{ id: 'watch', path: '/watch', auth: 'required', upstream: 'backend' }],
  })
  const token = await tokenOf()
  const reply = fetch(`${url}/watch`, { headers: { Authorization: `Bearer ${token}` } })
  const answer = await asked.promise
  await gateway.identity.revocations.revoke({ token })
  await sleep(300)
  answer()
  await assert.rejects((await reply).text())
})
