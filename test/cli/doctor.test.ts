import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { makeAuthority } from '../certificates.ts'
import { folderOf } from '../config/files.ts'
import { freePort } from '../services/free-port.ts'
import { redisForFile } from '../services/redis-for-file.ts'
import { startBackend, startGateway } from '../world.ts'
import { runHere } from './here.ts'

interface Told {
  readonly healthy: boolean
  readonly findings: readonly { level: string; about: string; says: string; todo?: string }[]
}

const port = await freePort()
const { server: redis } = await redisForFile()
const backend = { url: '' }

/** What the doctor says of one kind of thing, as `level says`. */
async function ask(t: TestContext, about: string, config: object, files = {}) {
  const inFolder = folderOf(t, { 'a.yaml': JSON.stringify(config), ...files })
  const { code, out } = await runHere(['doctor', 'a.yaml', '--json'], inFolder(''))
  const { healthy, findings } = JSON.parse(out) as Told
  assert.equal(healthy, code === 0)
  assert.equal(healthy, !findings.some(({ level }) => level === 'fail'))
  assert.deepEqual(
    findings.filter(({ level, todo }) => (level === 'ok') !== (todo === undefined)),
    [],
    'what is wrong comes with what to do',
  )
  return findings.filter((one) => one.about === about).map(({ level, says }) => `${level} ${says}`)
}

const server = { listen: `127.0.0.1:${port}` }
const day = 86_400_000

describe('gateway doctor', () => {
  test('finds nothing wrong where nothing is', async (t) => {
    backend.url = (await startBackend(t)).url
    const config = { server, upstreams: { a: { targets: [{ url: backend.url }] } } }
    assert.deepEqual(await ask(t, 'upstream', config), [`ok a: ${backend.url} answers`])
    assert.deepEqual(await ask(t, 'port', config), [`ok 127.0.0.1:${port} is free (server.listen)`])
    assert.match((await ask(t, 'node', config))[0] ?? '', /^ok \d/)
  })

  test('names mistakes in the configuration with their place, and files that cannot be read', async (t) => {
    assert.deepEqual(await ask(t, 'configuration', { server, servr: {} }), [
      `fail a.yaml:1:${JSON.stringify({ server }).length + 1}: servr: unknown key "servr"; did you mean "server"?`,
    ])
    const [missing = ''] = await ask(t, 'configuration', {
      server,
      grpc: { protos: ['none.proto'], services: { 'a.B': { upstream: 'a', auth: 'none' } } },
      upstreams: { a: { targets: [{ url: 'http://127.0.0.1:1' }] } },
    })
    assert.match(missing, /^fail a\.yaml:1:\d+: grpc\.protos/)
  })

  test('tells a port that another process has from one that a gateway has', async (t) => {
    const taken = await startBackend(t)
    const listen = `127.0.0.1:${taken.port}`
    assert.match(
      (await ask(t, 'port', { server: { listen } }))[0] ?? '',
      /^fail .* is taken by another process/,
    )
    const { url } = await startGateway(t, {})
    const [said = ''] = await ask(t, 'port', { server: { listen: url.slice('http://'.length) } })
    assert.match(said, /^ok .* is that of a gateway which runs already/)
    const [elsewhere = ''] = await ask(t, 'port', { server: { listen: '192.0.2.1:80' } })
    assert.match(elsewhere, /^fail .* cannot be opened: EADDRNOTAVAIL/)
  })

  test('tells one target that is gone from all that are', async (t) => {
    const { url } = await startBackend(t)
    const gone = { url: 'http://127.0.0.1:1' }
    const config = { server, upstreams: { one: { targets: [{ url }, gone] }, all: { targets: [gone] } } }
    assert.deepEqual(await ask(t, 'upstream', config), [
      `ok one: ${url} answers`,
      'warn one: http://127.0.0.1:1 cannot be reached: ECONNREFUSED',
      'fail all: http://127.0.0.1:1 cannot be reached: ECONNREFUSED',
    ])
  })

  test('says how long certificates are valid', async (t) => {
    const authority = makeAuthority()
    const [long, short] = [authority.issue(['localhost']), authority.issue(['localhost'], { days: 5 })]
    const files = { 'l.pem': long.cert, 'l.key': long.key, 's.pem': short.cert, 's.key': short.key }
    const other = { hosts: ['shop.example'], cert: 'file://s.pem', key: 'file://s.key' }
    const tls = { listen: '127.0.0.1:0', cert: 'file://l.pem', key: 'file://l.key', certificates: [other] }
    const said = await ask(t, 'certificate', { server: { ...server, tls } }, files)
    assert.match(said[0] ?? '', /^ok server\.tls\.cert \(O=Shop, CN=localhost\) is valid for (29|30) days$/)
    assert.match(said[1] ?? '', /^warn server\.tls\.certificates\[0\]\.cert .* ends in [45] days/)
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 20 * day })
    const later = await ask(t, 'certificate', { server: { ...server, tls } }, files)
    assert.match(later[1] ?? '', /^fail server\.tls\.certificates\[0\]\.cert .* ended at/)
  })

  test('asks Redis, and what time it is there', async (t) => {
    const config = { server, stores: { redis: { url: redis.url } } }
    assert.deepEqual(await ask(t, 'redis', config), ['ok answers'])
    assert.match((await ask(t, 'clock', config))[0] ?? '', /^ok .* as that of Redis$/)
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() - 60_000 })
    assert.match((await ask(t, 'clock', config))[0] ?? '', /^warn (59|60|61)(\.\d)? s behind that of Redis$/)
    t.mock.timers.reset()
    const gone = { server, stores: { redis: { url: 'redis://127.0.0.1:1' } } }
    assert.match((await ask(t, 'redis', gone))[0] ?? '', /^fail cannot be used: .*ECONNREFUSED/)
  })

  test('speaks to people in lines, and shows no secret', async (t) => {
    const secret = 'a-password-that-nobody-may-see'
    const config = { server, stores: { redis: { url: `redis://:${secret}@127.0.0.1:1` } } }
    const inFolder = folderOf(t, { 'a.yaml': JSON.stringify(config) })
    const { code, out, err } = await runHere(['doctor', 'a.yaml'], inFolder(''))
    assert.equal(code, 1)
    assert.match(
      out,
      /^ok {4}node .*\n[\s\S]*\nfail {2}redis .*\n {21}-> start it[\s\S]*\d things looked at: 1 wrong/,
    )
    assert.ok(!`${out}${err}`.includes(secret))
  })
})
