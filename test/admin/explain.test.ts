import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { freePort } from '../services/free-port.ts'
import { startBackend } from '../world.ts'
import { type AdminWorld, startAdmin } from './admin-world.ts'

/** A backend that answers with its own URL. */
async function ownUrl(t: TestContext): Promise<string> {
  const backend = await startBackend(t, (_, res) => res.end(backend.url))
  return backend.url
}

interface Expected {
  readonly upstream: string
  readonly by: string
  readonly among: readonly string[]
  readonly target: string | null
}

async function expected({ ask }: AdminWorld, url: string, more: object = {}): Promise<Expected | null> {
  const told = await ask('POST /routes:explain', { body: { url, ...more } })
  assert.equal(told.status, 200, told.text)
  return told.json.taken.expected
}

test('explain says which target is next, and that one it is', async (t) => {
  const [one, two, three, next] = [await ownUrl(t), await ownUrl(t), await ownUrl(t), await ownUrl(t)]
  const targets = [
    { url: one, weight: 3 },
    { url: two, weight: 1 },
    { url: three, weight: 1 },
  ]
  const hash = { policy: 'consistentHash', hashOn: ['header:X-Cart', 'ip'] }
  const by = (policy: object) => ({ targets, loadBalancing: policy })
  const route = (id: string, upstream: string) => ({ id, path: `/${id}`, upstream, auth: 'none' })
  const world = await startAdmin(t, {
    upstreams: {
      turn: by({ policy: 'roundRobin' }),
      hash: by(hash),
      draw: by({ policy: 'random' }),
      sticky: by({ sticky: { cookie: { name: 'at', secret: 'x'.repeat(32) } } }),
      next: { targets: [{ url: next }] },
      gone: { targets: [{ url: `http://127.0.0.1:${await freePort()}` }] },
    },
    routes: [
      ...['turn', 'hash', 'draw', 'sticky', 'gone'].map((id) => route(id, id)),
      {
        ...route('canary', 'turn'),
        canary: {
          upstream: 'next',
          match: { headers: { 'X-New': '*' }, ips: ['192.0.2.0/24'] },
          steps: [{ weight: 0 }],
        },
      },
      { id: 'own', path: '/own', auth: 'none', respond: { status: 200 } },
    ],
  })
  const call = async (path: string, headers: Record<string, string> = {}): Promise<Response> =>
    await fetch(world.url + path, { headers })

  for (let i = 0; i < 10; i++) {
    const told = await expected(world, '/turn?x=1')
    assert.deepEqual(told, {
      upstream: 'turn',
      by: 'roundRobin',
      among: [one, two, three],
      target: told?.target,
    })
    // Asking changes nothing.
    assert.deepEqual(await expected(world, '/turn'), told)
    assert.equal(await (await call('/turn')).text(), told?.target)
  }

  const seen = new Set<string>()
  for (let i = 0; i < 10; i++) {
    const headers = { 'X-Cart': `cart-${i}` }
    const told = await expected(world, '/hash', { headers })
    assert.equal(await (await call('/hash', headers)).text(), told?.target)
    seen.add(String(told?.target))
  }
  assert.ok(seen.size > 1, 'it is not always the same')
  // By address: of who asks, unless another one is given.
  assert.equal((await expected(world, '/hash'))?.target, await (await call('/hash')).text())
  assert.ok((await expected(world, '/hash', { address: '192.0.2.7' }))?.target)

  assert.deepEqual(await expected(world, '/draw'), {
    upstream: 'draw',
    by: 'random',
    among: [one, two, three],
    target: null,
  })

  const first = await call('/sticky')
  const cookie = first.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  assert.deepEqual(await expected(world, '/sticky', { headers: { Cookie: cookie } }), {
    upstream: 'sticky',
    by: 'cookie',
    among: [await first.text()],
    target: (await expected(world, '/sticky', { headers: { cookie } }))?.target,
  })

  const upstreamOf = async (more: object) => (await expected(world, '/canary', more))?.upstream
  assert.deepEqual(
    [
      await upstreamOf({}),
      await upstreamOf({ headers: { 'x-new': 'yes' } }),
      await upstreamOf({ address: '192.0.2.7' }),
    ],
    ['turn', 'next', 'next'],
  )
  assert.equal(await expected(world, '/own'), null)
})

test('explain names no target that cannot be asked', async (t) => {
  const [good, bad] = [await ownUrl(t), `http://127.0.0.1:${await freePort()}`]
  const active = { path: '/', interval: '20ms', timeout: '1s', healthyAfter: 1, unhealthyAfter: 1 }
  const world = await startAdmin(t, {
    upstreams: {
      some: { targets: [{ url: bad }, { url: good }], healthChecks: { active } },
      none: { targets: [{ url: bad }], healthChecks: { active } },
    },
    routes: ['some', 'none'].map((id) => ({ id, path: `/${id}`, upstream: id, auth: 'none' })),
  })
  for (;;) {
    const told = await expected(world, '/none')
    if (told?.among.length === 0) {
      assert.equal(told.target, null)
      break
    }
  }
  for (;;) {
    const told = await expected(world, '/some')
    if (told?.among.length === 1) {
      assert.equal(told.target, good)
      break
    }
  }
})
