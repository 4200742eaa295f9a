import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { startNginx, startNginxWith } from './nginx.ts'

let root = ''
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'trivium-files-'))
})
after(() => rm(root, { recursive: true }))

test('serves files with their types, and ranges of them', async () => {
  const nginx = await startNginx({ root, extra: 'location = /hello { return 200 "hello"; }' })
  const types = { html: 'text/html', txt: 'text/plain', json: 'application/json', png: 'image/png' }
  for (const [ending, type] of Object.entries({ ...types, bin: 'application/octet-stream' })) {
    await writeFile(join(root, `a.${ending}`), '0123456789')
    const reply = await fetch(`${nginx.url}/a.${ending}`, { headers: { range: 'bytes=2-4' } })
    assert.equal(reply.headers.get('content-type'), type)
    assert.equal(await reply.text(), '234')
  }
  assert.equal(await (await fetch(`${nginx.url}/hello`)).text(), 'hello')
  await nginx.stop()
  await assert.rejects(fetch(nginx.url))
})

test('can stand as a proxy before another server', async () => {
  const server = createServer((request, reply) => request.pipe(reply)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  const nginx = await startNginxWith(
    (port) =>
      `server { listen 127.0.0.1:${port}; location / { proxy_pass http://127.0.0.1:${address.port}; } }`,
  )
  const body = 'x'.repeat(500_000)
  assert.equal(await (await fetch(nginx.url, { method: 'POST', body })).text(), body)
  await nginx.stop()
  server.close()
})

test('says what is wrong in its configuration', async () => {
  await assert.rejects(startNginx({ root, extra: 'no_such_word on;' }), /unknown directive "no_such_word"/)
})
