import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { RegistryProvider } from '../../src/discovery/registry-provider.ts'
import { ServiceRegistry } from '../../src/discovery/service-registry.ts'
import { follow, said } from './findings.ts'

/** A registry whose time goes on when the test says so. */
function start(t: TestContext, maxInstances?: number) {
  t.mock.timers.enable({ apis: ['setInterval'] })
  let now = 0
  const registry = new ServiceRegistry({
    now: () => now,
    ...(maxInstances === undefined ? {} : { maxInstances }),
  })
  t.after(() => registry.close())
  return {
    registry,
    pass(ms: number): void {
      for (let passed = 0; passed < ms; passed += 500) {
        now += 500
        t.mock.timers.tick(500)
      }
    },
    /** Nothing of us runs for so long, as when the process is stopped. */
    standStill(ms: number): void {
      now += ms
      t.mock.timers.tick(500)
    },
  }
}

const urls = (registry: ServiceRegistry, service = 'users'): string[] =>
  registry.instances(service).map(({ url, expired }) => (expired ? `${url} expired` : url))

test('an instance stays as long as it renews', (t) => {
  const { registry, pass } = start(t)
  registry.register('users', 'http://10.0.0.1:8001', 5_000)
  registry.register('users', 'http://10.0.0.2:8001', 5_000)
  for (let i = 0; i < 5; i++) {
    pass(3_000)
    assert.equal(registry.renew('users', 'http://10.0.0.1:8001/'), true)
  }
  assert.deepEqual(urls(registry), ['http://10.0.0.1:8001'])
  assert.equal(registry.renew('users', 'http://10.0.0.2:8001'), false)
})

test('the last one stays although it fell silent, until it comes back', (t) => {
  const { registry, pass } = start(t)
  registry.register('users', 'http://a:1', 5_000)
  registry.register('users', 'http://b:1', 5_000)
  pass(60_000)
  assert.deepEqual(urls(registry), ['http://b:1 expired'])
  assert.equal(registry.renew('users', 'http://b:1'), true)
  assert.deepEqual(urls(registry), ['http://b:1'])
  pass(60_000)
  assert.deepEqual(urls(registry), ['http://b:1 expired'])
})

test('the last one that fell silent goes when another comes', (t) => {
  const { registry, pass } = start(t)
  registry.register('users', 'http://a:1', 5_000)
  pass(60_000)
  registry.register('users', 'http://b:1', 5_000)
  assert.deepEqual(urls(registry), ['http://b:1'])
})

test('whoever deregisters goes, the last one too', (t) => {
  const { registry, pass } = start(t)
  registry.register('users', 'http://a:1', 5_000)
  assert.equal(registry.deregister('users', 'http://a:1/'), true)
  assert.equal(registry.deregister('users', 'http://a:1'), false)
  registry.register('users', 'http://b:1', 5_000)
  pass(60_000)
  assert.equal(registry.deregister('users', 'http://b:1'), true)
  assert.deepEqual(registry.services, [])
})

test('nobody expires for the time in which we could not listen', (t) => {
  const { registry, pass, standStill } = start(t)
  registry.register('users', 'http://a:1', 5_000)
  registry.register('users', 'http://b:1', 5_000)
  standStill(3_600_000)
  assert.deepEqual(urls(registry), ['http://a:1', 'http://b:1'])
  pass(7_000)
  assert.deepEqual(urls(registry), ['http://b:1 expired'])
})

test('a service has instances of its own', (t) => {
  const { registry } = start(t)
  registry.register('users', 'http://a:1')
  registry.register('orders', 'http://a:1')
  registry.deregister('users', 'http://a:1')
  assert.deepEqual(registry.services, ['orders'])
})

test('registering again changes the weight', (t) => {
  const { registry } = start(t)
  assert.deepEqual(registry.register('users', 'http://a:1'), {
    url: 'http://a:1',
    weight: 100,
    priority: 0,
    ttlMs: 30_000,
    expired: false,
  })
  registry.register('users', { url: 'http://a:1/', weight: 5, priority: 2, zone: 'b' })
  assert.deepEqual(
    registry.instances('users').map(({ weight, priority }) => [weight, priority]),
    [[5, 2]],
  )
})

for (const [name, service, written, ttlMs, message] of [
  ['a service without a name', '', 'http://a', 5_000, /^a service is named by/],
  ['a service with a long name', 'x'.repeat(64), 'http://a', 5_000, /^a service is named by/],
  ['a service with a name that is a path', '../users', 'http://a', 5_000, /^a service is named by/],
  ['something else than HTTP', 'users', 'ftp://a', 5_000, /^url: expected http:\/\/host:port/],
  ['a URL with a path', 'users', 'http://a/b', 5_000, /^url: expected http:\/\/host:port/],
  ['a URL with a password', 'users', 'http://u:p@a', 5_000, /^url: expected http:\/\/host:port/],
  ['a port that there is not', 'users', 'http://a:99999', 5_000, /^url: expected http:\/\/host:port/],
  ['a negative weight', 'users', { url: 'http://a', weight: -1 }, 5_000, /^weight: /],
  ['a number', 'users', 7, 5_000, /expected object/],
  ['nothing', 'users', undefined, 5_000, /expected object/],
  ['no time', 'users', 'http://a', 0, /^the time to live/],
  ['a year', 'users', 'http://a', 31_536_000_000, /^the time to live/],
  ['no number as its time', 'users', 'http://a', Number.NaN, /^the time to live/],
] as const) {
  test(`whoever registers with ${name} is refused, and leaves nothing behind`, (t) => {
    const { registry } = start(t)
    assert.throws(
      () => registry.register(service, written, ttlMs),
      (error: { reason?: string; message?: string }) =>
        error.reason === 'INVALID_ARGUMENT' && message.test(error.message ?? ''),
    )
    assert.deepEqual(registry.services, [])
  })
}

test('it does not grow beyond its bounds; those that fell silent make room', (t) => {
  const { registry, pass } = start(t, 3)
  registry.register('silent', 'http://a:1', 1_000)
  pass(5_000)
  for (const service of ['b', 'c']) registry.register(service, `http://${service}:1`)
  registry.register('d', 'http://d:1')
  assert.deepEqual(registry.services, ['b', 'c', 'd'])
  assert.throws(() => registry.register('e', 'http://e:1'), /The registry is full: it holds 3 instances/)
  registry.register('d', { url: 'http://d:1', weight: 1 })
  assert.deepEqual(registry.services, ['b', 'c', 'd'])
  registry.deregister('b', 'http://b:1')
  registry.register('e', 'http://e:1')
})

test('who watches is told once of what is done together, also when it ends early', (t) => {
  const { registry } = start(t)
  const told: string[][] = []
  registry.watch('users', () => told.push(urls(registry)))
  registry.together(() => {
    for (const i of [1, 2, 3]) registry.register('users', `http://10.0.0.${i}:80`)
    registry.deregister('users', 'http://10.0.0.2:80')
    registry.register('orders', 'http://10.0.0.9:80')
  })
  assert.deepEqual(told, [['http://10.0.0.1', 'http://10.0.0.3']])
  assert.throws(() =>
    registry.together(() => {
      registry.register('users', 'http://10.0.0.4:80')
      registry.register('users', 'nonsense')
    }),
  )
  registry.register('users', 'http://10.0.0.5:80')
  assert.deepEqual(
    told.map((known) => known.length),
    [2, 3, 4],
  )
})

test('an upstream is told of each change, and of silence', async (t) => {
  const { registry, pass } = start(t)
  const findings = follow(t, new RegistryProvider(registry, 'users'))
  assert.match(String((await findings.next()).trouble), /^no instance of users is registered$/)
  registry.register('users', 'http://a:1', 5_000)
  assert.deepEqual(await findings.next(), { targets: [{ url: 'http://a:1', weight: 100, priority: 0 }] })
  registry.register('users', 'http://b:1', 50_000)
  assert.deepEqual(said(await findings.next()), ['http://a:1', 'http://b:1'])
  pass(6_000)
  assert.deepEqual(said(await findings.next()), ['http://b:1'])
  pass(60_000)
  const silent = await findings.next()
  assert.deepEqual(said(silent), ['http://b:1'])
  assert.equal(silent.trouble, 'the heartbeats of the last instance of users have stopped')
  registry.renew('users', 'http://b:1')
  assert.equal((await findings.next()).trouble, undefined)
  registry.deregister('users', 'http://b:1')
  const gone = await findings.next()
  assert.deepEqual([gone.targets, gone.trouble], [[], 'no instance of users is registered'])
  registry.register('orders', 'http://c:1')
  assert.equal(findings.all.length, 7)
})
