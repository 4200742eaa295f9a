import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startLibrary } from '../../../examples/library/server.ts'
import { startCli } from '../../cli/child.ts'

const protos = fileURLToPath(new URL('../../../protos', import.meta.url))

test('where code generation is forbidden the gateway starts, and transcodes', async (t) => {
  const library = await startLibrary()
  const folder = mkdtempSync(join(tmpdir(), 'no-codegen-'))
  t.after(async () => {
    rmSync(folder, { recursive: true })
    await library.close()
  })
  const file = join(folder, 'gateway.json')
  const config = {
    server: { listen: '127.0.0.1:0' },
    upstreams: { library: { targets: [{ url: library.url }] } },
    grpc: {
      protos: [`${protos}/library/**/*.proto`],
      includeDirs: [protos],
      services: { 'library.v1.LibraryService': { upstream: 'library', auth: 'none' } },
    },
  }
  writeFileSync(file, JSON.stringify(config))
  const { url } = await startCli(t, file, [], ['--disallow-code-generation-from-strings'])

  const made = await fetch(`${url}/v1/shelves/1/books`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ title: 'Without code', genre: 'SCIENCE' }),
  })
  const book = (await made.json()) as { id: string; title: string; genre: string }
  assert.deepEqual([made.status, book.title, book.genre], [200, 'Without code', 'SCIENCE'])
  const got = await fetch(`${url}/v1/books/${book.id}`)
  assert.deepEqual([got.status, await got.json()], [200, book])
  const refused = await fetch(`${url}/v1/shelves/1/books`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: '{"title": 1}',
  })
  assert.equal(refused.status, 400)
  assert.equal((await fetch(`${url}/openapi/grpc.json`)).status, 200)
})
