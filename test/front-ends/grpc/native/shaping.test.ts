import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Metadata, status } from '@grpc/grpc-js'
import { askHttp2, connectHttp2 } from '../../../listener/http2-client.ts'
import { openNative } from './native-world.ts'

test('headers of a native call are metadata: set, never the client’s own', async (t) => {
  const { call } = await openNative(t, {
    auth: 'none',
    plugins: [
      {
        headers: {
          request: { set: { 'X-Lang': `\${header.accept-language:-none}`, 'x-tenant': `\${claim.tenant}` } },
          response: { set: { 'X-Served-By': 'trivium' } },
        },
      },
    ],
  })
  const metadata = new Metadata()
  metadata.set('x-tenant', 'forged')
  const { error, initial, reply } = await call('Metadata', {}, { metadata })
  assert.equal(error, undefined)
  assert.deepEqual(initial?.get('x-served-by'), ['trivium'])
  const seen = reply?.metadata as Record<string, string>
  assert.equal(seen['x-lang'], 'none')
  assert.equal(seen['x-tenant'], undefined)
})

for (const [http, code] of [
  [403, status.PERMISSION_DENIED],
  [404, status.NOT_FOUND],
  [429, status.RESOURCE_EXHAUSTED],
  [500, status.INTERNAL],
  [501, status.UNIMPLEMENTED],
  [502, status.UNAVAILABLE],
  [503, status.UNAVAILABLE],
  [504, status.DEADLINE_EXCEEDED],
] as const) {
  test(`a fault of ${http} is status ${code} to a native client`, async (t) => {
    const fault = { abort: { percent: 100, status: http } }
    const { call } = await openNative(t, { auth: 'none', plugins: [{ fault }] })
    const { error } = await call('Unbound', {})
    assert.equal(error?.code, code)
  })
}

test('native answers are not compressed, JSON streams of the same service are', async (t) => {
  const { call, url } = await openNative(t, { auth: 'none', plugins: [{ compression: { minBytes: '1b' } }] })
  const { error, reply } = await call('Unbound', {})
  assert.equal(error, undefined)
  assert.ok(reply !== undefined)
  const plain = await (
    await fetch(`${url}/v1/count/50`, { headers: { 'Accept-Encoding': 'identity' } })
  ).text()
  const coded = await fetch(`${url}/v1/count/50`, { headers: { 'Accept-Encoding': 'gzip' } })
  assert.equal(coded.headers.get('content-encoding'), 'gzip')
  assert.equal(await coded.text(), plain)
  const session = await connectHttp2(t, url)
  const lines = await askHttp2(session, {
    ':path': '/v1/count/50',
    accept: 'application/x-ndjson',
    'accept-encoding': 'gzip',
  })
  session.close()
  assert.equal(lines.headers['content-encoding'], undefined)
})
