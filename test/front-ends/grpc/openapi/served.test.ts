import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startLibrary } from '../../../../examples/library/server.ts'
import { startGateway } from '../../../world.ts'
import { type Json, operationsOf } from './describe.ts'

const root = fileURLToPath(new URL('../../../../', import.meta.url))

test('a gateway describes what it serves, at /openapi/grpc.json', async (t) => {
  const library = await startLibrary()
  t.after(() => library.close())
  const { url, gateway } = await startGateway(t, {
    upstreams: { library: { targets: [{ url: library.url }] } },
    auth: { apiKeys: { header: 'X-Library-Key' } },
    consumers: [{ id: 'c' }],
    grpc: {
      protos: [`${root}protos/library/**/*.proto`],
      includeDirs: [`${root}protos`],
      services: { 'library.v1.LibraryService': { upstream: 'library', auth: 'optional' } },
    },
  })
  const answer = await fetch(`${url}/openapi/grpc.json`)
  assert.equal(answer.status, 200)
  assert.match(answer.headers.get('content-type') ?? '', /^application\/json/)
  const document: Json = await answer.json()

  await t.test('as many operations as rows', () => {
    assert.equal(document.openapi, '3.1.0')
    // OpenAPI has no words for the rows of WebSockets and of native gRPC, health among them.
    const rows = gateway.rows.filter(
      ({ headers, template }) => headers.length === 0 && !/^\/(?:library\.v1|grpc\.health)\./.test(template),
    )
    assert.equal(operationsOf(document).length, rows.length)
    assert.equal(document.components.securitySchemes.apiKey.name, 'x-library-key')
  })

  await t.test('the document is made once, and the same bytes answer every request', async (t) => {
    const frontEnd = gateway.rows.find((row) => row.protocol === 'grpc')?.frontEnd
    assert.ok(frontEnd?.describe !== undefined)
    const describe = t.mock.method(frontEnd as { describe: () => object }, 'describe')
    const [one, two] = await Promise.all([0, 1].map(() => fetch(`${url}/openapi/grpc.json`)))
    assert.equal(await one?.text(), await two?.text())
    assert.equal(one?.headers.get('etag'), two?.headers.get('etag'))
    assert.equal(describe.mock.callCount(), 0)
  })

  await t.test('a client that has the document gets 304', async () => {
    const etag = answer.headers.get('etag') ?? ''
    // Without words of its own, fetch says `no-cache` beside a condition, which asks for the whole again.
    const headers = { 'If-None-Match': etag, 'Cache-Control': 'max-age=0' }
    const again = await fetch(`${url}/openapi/grpc.json`, { headers })
    assert.deepEqual([again.status, await again.text()], [304, ''])
  })

  for (const { path, method, operation } of operationsOf(document)) {
    if (method !== 'get') continue
    await t.test(`GET ${path} is answered by the service`, async () => {
      const query = path.endsWith(':watch') ? '?count=1&intervalMs=0' : ''
      const got = await fetch(url + path.replace(/\{\w+\}/g, '1') + query)
      const body = await got.text()
      assert.ok(got.status === 200 || (got.status === 404 && body.includes('BOOK_NOT_FOUND')), body)
      assert.ok(String(got.status) in operation.responses)
    })
  }
})

test('without gRPC services there is nothing to describe', async (t) => {
  const { url } = await startGateway(t, {
    upstreams: { echo: { targets: [{ url: 'http://127.0.0.1:1' }] } },
    routes: [{ id: 'a', path: '/a', upstream: 'echo', auth: 'none' }],
  })
  const answer = await fetch(`${url}/openapi/grpc.json`)
  assert.equal(answer.status, 404)
  assert.equal((await answer.json()).reason, 'ROUTE_NOT_FOUND')
})
