import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startLibrary } from '../../../examples/library/server.ts'
import { startGateway } from '../../world.ts'

const protos = fileURLToPath(new URL('../../../protos', import.meta.url))

async function start(t: TestContext, grpc: object, service: object = {}): Promise<string> {
  const library = await startLibrary()
  t.after(() => library.close())
  const { url } = await startGateway(t, {
    upstreams: { library: { targets: [{ url: library.url }] } },
    grpc: {
      protos: [`${protos}/library/**/*.proto`],
      includeDirs: [protos],
      services: { 'library.v1.LibraryService': { upstream: 'library', auth: 'none', ...service } },
      ...grpc,
    },
  })
  return url
}

for (const channel of ['fast', 'grpc-js']) {
  test(`calls are carried by ${channel}, with keepalive`, async (t) => {
    const keepalive = { interval: '1s', timeout: '2s' }
    const url = await start(t, { channel, keepalive, connections: 1 })
    assert.equal((await fetch(`${url}/v1/books/1`)).status, 200)
  })
}

test('a service has a limit of its own, for requests and for answers', async (t) => {
  const url = await start(t, { messageBytes: '4mb' }, { messageBytes: '100b' })
  const headers = { 'Content-Type': 'application/json' }
  const body = JSON.stringify({ title: 'x'.repeat(200), genre: 'SCIENCE' })
  const sent = await fetch(`${url}/v1/shelves/1/books`, { method: 'POST', headers, body })
  assert.equal(sent.status, 413)
  const list = await fetch(`${url}/v1/shelves/1/books`)
  assert.equal(list.status, 502, await list.text())
})

for (const [name, grpc, message] of [
  ['a channel that there is not', { channel: 'quick' }, /grpc\.channel/],
  ['pings faster than a second', { keepalive: { interval: '10ms' } }, /grpc\.keepalive\.interval/],
  ['no connections', { connections: 0 }, /grpc\.connections/],
] as const) {
  test(`the configuration is refused for ${name}`, async (t) => {
    await assert.rejects(start(t, grpc), message)
  })
}
