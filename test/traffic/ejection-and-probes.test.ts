import assert from 'node:assert/strict'
import { createServer, type RequestListener, type Server } from 'node:http'
import { type TestContext, test } from 'node:test'
import { freePort } from '../services/free-port.ts'
import { startGateway } from '../world.ts'
import { plainUpstream } from './plain-upstream.ts'

/** A gateway that ejects at the second failure, for longer than any test takes, and probes all the time. */
async function open(t: TestContext, port: number, unhealthyAfter: number) {
  const gateway = await startGateway(t, {
    upstreams: {
      backend: {
        targets: [{ url: `http://127.0.0.1:${port}` }],
        retry: { attempts: 1 },
        healthChecks: {
          active: { interval: '20ms', unhealthyAfter },
          passive: { consecutiveErrors: 2, ejectFor: '10m', maxEjectFor: '10m', maxEjectedPercent: 100 },
        },
      },
    },
    routes: [{ id: 'all', path: '/**', upstream: 'backend', auth: 'none' }],
  })
  const ask = async (): Promise<number> => (await fetch(`${gateway.url}/x`)).status
  const said = (message: string) => gateway.logged((line) => line.message === message)
  return { ask, said, logs: gateway.logs }
}

async function serve(t: TestContext, port: number, listener: RequestListener): Promise<Server> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  t.after(() => kill(server))
  return server
}

function kill(server: Server): void {
  server.close()
  server.closeAllConnections()
}

test('a target that was down is taken in again by a good probe, before its ejection is over', async (t) => {
  const port = await freePort()
  const { ask, said } = await open(t, port, 1_000_000)
  for (let i = 0; i < 2; i++) assert.equal(await ask(), 502)
  await said('target is ejected')
  await serve(t, port, (_, res) => res.end('well'))
  const line = await said('target is taken in again')
  assert.equal(line.reason, 'probe succeeded')
  assert.equal(await ask(), 200)
})

test('so is one that was unhealthy to probes meanwhile, whatever calls it failed', async (t) => {
  const port = await freePort()
  const status = { calls: 500, probes: 200 }
  await serve(t, port, (req, res) =>
    res.writeHead(req.url === '/health' ? status.probes : status.calls).end(),
  )
  const { ask, said } = await open(t, port, 2)
  await said('target is healthy')
  for (let i = 0; i < 2; i++) assert.equal(await ask(), 500)
  await said('target is ejected')
  status.probes = 503
  await said('target is unhealthy')
  status.probes = 200
  status.calls = 200
  await said('target is taken in again')
  assert.equal(await ask(), 200)
})

test('one that fails calls behind a healthy probe stays out', async (t) => {
  const port = await freePort()
  let probes = 0
  let told = (): void => {}
  await serve(t, port, (req, res) => {
    if (req.url === '/health') {
      if (++probes === wanted) told()
      res.end()
    } else res.writeHead(500).end()
  })
  let wanted = Number.POSITIVE_INFINITY
  const { ask, said, logs } = await open(t, port, 2)
  await said('target is healthy')
  for (let i = 0; i < 2; i++) assert.equal(await ask(), 500)
  await said('target is ejected')
  await new Promise<void>((resolve) => {
    told = resolve
    wanted = probes + 5
  })
  assert.ok(logs.every(({ message }) => message !== 'target is taken in again'))
  assert.equal(await ask(), 503)
})

test('an attempt that began before its target was taken in again is not held against it', async (t) => {
  const upstream = plainUpstream('backend', ['http://127.0.0.1:1'], {
    ejection: { consecutiveErrors: 2, ejectForMs: 600_000, maxEjectForMs: 600_000, maxEjectedPercent: 100 },
  })
  t.after(() => upstream.close())
  const { ejection, endpoints } = upstream
  const [endpoint] = endpoints
  assert.ok(endpoint)
  const before = performance.now()
  for (let i = 0; i < 2; i++) ejection.failed(endpoint, 'UPSTREAM_TIMEOUT', before)
  assert.equal(endpoint.ejected, true)
  ejection.probedWell(endpoint, true)
  ejection.failed(endpoint, 'UPSTREAM_TIMEOUT', before)
  assert.equal(endpoint.ejected, false)
  ejection.failed(endpoint, 'UPSTREAM_TIMEOUT', performance.now())
  assert.equal(endpoint.ejected, true, 'one that began since is')
})

// docs/traffic.md: never more than maxEjectedPercent are out. Whoever looks must see it all the same.
test('the only target of an upstream stays when it fails every call, and that is said', async (t) => {
  const port = await freePort()
  const backend = { status: 500 }
  await serve(t, port, (_, res) => res.writeHead(backend.status).end())
  const { url, logged, logs } = await startGateway(t, {
    upstreams: { backend: { targets: [{ url: `http://127.0.0.1:${port}` }] } },
    routes: [{ id: 'all', path: '/x', upstream: 'backend', auth: 'none' }],
  })
  const ask = async (): Promise<number> => (await fetch(`${url}/x`)).status
  const health = async () => {
    const { status, upstreams } = JSON.parse(await (await fetch(`${url}/health?verbose`)).text())
    return [status, upstreams.backend.targets[0].reason]
  }
  for (let i = 0; i < 4; i++) assert.equal(await ask(), 500)
  assert.deepEqual(await health(), ['healthy', 'not probed'])
  for (let i = 0; i < 2; i++) assert.equal(await ask(), 500)
  const reason = (failures: number) =>
    `${failures} failures in a row, the last: status 500; not ejected: maxEjectedPercent is 50`
  const line = await logged(({ message }) => message === 'target keeps failing')
  assert.equal(line.reason, reason(5))
  assert.equal(logs.filter(({ message }) => message === 'target keeps failing').length, 1)
  assert.deepEqual(await health(), ['degraded', reason(6)])
  backend.status = 200
  assert.equal(await ask(), 200)
  assert.deepEqual(await health(), ['healthy', 'not probed'])
})
