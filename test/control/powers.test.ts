// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is what is tested
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConfigEdit } from '../../src/control/change.ts'
import { GatewayError } from '../../src/core/error.ts'
import { startGateway } from '../world.ts'

const config = {
  admin: { tokens: [] },
  auth: { jwt: [{ issuer: 'https://a.example', secret: '${SECRET}', audience: 'x', algorithms: ['HS256'] }] },
  consumers: [{ id: 'acme' }],
  routes: [{ id: 'a', path: '/a', auth: 'none', respond: { body: 'x' } }],
}
const hash = `sha256:${'0'.repeat(64)}`
const writer = { keys: false, all: false }

const cases: readonly (readonly [name: string, edit: ConfigEdit, takes: 'write' | 'keys' | 'all'])[] = [
  ['a route', { op: 'patch', kind: 'routes', id: 'a', value: { respond: { body: 'y' } } }, 'write'],
  ['a consumer', { op: 'patch', kind: 'consumers', id: 'acme', value: { keys: [{ hash }] } }, 'keys'],
  ['who is believed', { op: 'merge', value: { auth: { apiKeys: { header: 'X-Other' } } } }, 'keys'],
  [
    'who administrates',
    { op: 'merge', value: { admin: { tokens: [{ name: 'me', hash, scopes: ['keys'] }] } } },
    'all',
  ],
  [
    'a secret of the environment in an answer',
    { op: 'patch', kind: 'routes', id: 'a', value: { respond: { body: '${SECRET}' } } },
    'all',
  ],
  [
    'a file in an answer',
    { op: 'patch', kind: 'routes', id: 'a', value: { respond: { body: 'file://package.json' } } },
    'all',
  ],
]

for (const [name, edit, takes] of cases)
  test(`to write ${name} takes ${takes}`, async (t) => {
    const { gateway } = await startGateway(t, config, { environment: { SECRET: 's'.repeat(32) } })
    const write = (powers: typeof writer) => gateway.control.write([edit], { by: 'me', dryRun: true, powers })
    const needed = [takes !== 'write', takes === 'all']
    for (const powers of [writer, { keys: true, all: false }, { keys: true, all: true }]) {
      const isEnough = (!needed[0] || powers.keys) && (!needed[1] || powers.all)
      if (isEnough) assert.equal((await write(powers)).changes.length, 1)
      else
        await assert.rejects(
          write(powers),
          (error) => error instanceof GatewayError && error.reason === 'SCOPE_MISSING',
        )
    }
  })

test('a file of the machine is refused before it is read, whatever names it', async (t) => {
  const { gateway } = await startGateway(t, config, { environment: { SECRET: 's'.repeat(32) } })
  const edits: readonly ConfigEdit[] = [
    { op: 'patch', kind: 'routes', id: 'a', value: { respond: { body: 'file:///dev/zero' } } },
    { op: 'merge', value: { grpc: { protos: ['/etc/*.proto'], services: {} } } },
    {
      op: 'put',
      kind: 'upstreams',
      id: 'u',
      value: { targets: [{ url: 'http://127.0.0.1:1' }], openapi: { file: '/dev/zero' } },
    },
  ]
  for (const edit of edits) {
    await assert.rejects(
      gateway.control.write([edit], { by: 'me' }),
      (error) =>
        error instanceof GatewayError &&
        error.reason === 'INVALID_ARGUMENT' &&
        /outside of the folder/.test(JSON.stringify([error.message, error.violations])),
      JSON.stringify(edit),
    )
  }
  const text = 'routes: [{ id: a, path: /a, auth: none, respond: { body: "file:///dev/zero" } }]'
  assert.equal((await gateway.control.validate(text)).length, 1)
  assert.ok((await gateway.control.diff({ text })).length > 0)
})
