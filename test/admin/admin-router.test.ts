import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import express from 'express'
import { z } from 'zod'
import { AdminAccess } from '../../src/admin/admin-access.ts'
import { AdminRate } from '../../src/admin/admin-rate.ts'
import { type AdminCall, type AdminEvent, adminRoute } from '../../src/admin/admin-route.ts'
import { createAdminRouter } from '../../src/admin/admin-router.ts'
import type { AuditEntry } from '../../src/admin/audit-entry.ts'
import { pageAnswer, pageOf, pageOfSchema, pageQuery } from '../../src/admin/page.ts'
import { toGatewayError } from '../../src/core/error.ts'
import { silentLog } from '../../src/core/log.ts'
import { askAdmin } from './admin-world.ts'

const item = z.strictObject({ id: z.string() })
const ids = ['a', 'b', 'c', 'd', 'e'].map((id) => ({ id }))

/** A router of its own with routes of every kind. */
async function world(
  t: TestContext,
  { limit = 0, now = Date.now }: { limit?: number; now?: () => number } = {},
) {
  const entries: AuditEntry[] = []
  const calls: AdminCall[] = []
  const ending = new AbortController()
  let endedStreams = 0
  const told = new EventTarget()
  async function* events(signal: AbortSignal): AsyncGenerator<AdminEvent> {
    try {
      yield { event: 'sample', id: '1', data: { n: 1, text: 'two\nlines' } }
      yield { data: { n: 2 } }
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
    } finally {
      endedStreams++
      told.dispatchEvent(new Event('ended'))
    }
  }
  const routes = [
    adminRoute({
      method: 'GET',
      path: '/things',
      scope: 'read',
      summary: 'Things',
      query: z.strictObject({ ...pageQuery, 'filter[id]': z.string().optional() }),
      answer: pageOfSchema(item),
      serve: ({ query }) => pageAnswer(pageOf(ids, query)),
    }),
    adminRoute({
      method: 'GET',
      path: '/things/{id}',
      scope: 'read',
      summary: 'A thing',
      answer: item,
      serve: ({ params }) => ({ body: { id: params.id }, etag: '"1"' }),
    }),
    adminRoute({
      method: 'PUT',
      path: '/things/{id}',
      scope: 'write',
      summary: 'Put a thing',
      body: z.strictObject({ size: z.int() }),
      answer: z.unknown(),
      serve(call) {
        calls.push(call)
        return { body: { by: call.by }, changes: [{ kind: 'things', id: 'x', op: 'update' }], version: 7 }
      },
    }),
    adminRoute({
      method: 'POST',
      path: '/things/{id}:shake',
      scope: 'write',
      summary: 'Shake a thing',
      serve() {
        throw new Error('a fault of ours')
      },
    }),
    adminRoute({
      method: 'PUT',
      path: '/text',
      scope: 'write',
      summary: 'Text',
      takes: 'config',
      serve: ({ text }) => ({ body: text, type: 'text/plain' }),
    }),
    adminRoute({
      method: 'POST',
      path: '/things:check',
      scope: 'read',
      writes: false,
      summary: 'Check',
      body: z.unknown(),
      serve: ({ body }) => ({ body: { body } }),
    }),
    adminRoute({
      method: 'GET',
      path: '/stream',
      scope: 'read',
      summary: 'Events',
      serve: ({ signal }) => ({ stream: events(signal) }),
    }),
  ]
  const app = express()
  const router = createAdminRouter({
    access: new AdminAccess(() => [], now),
    rate: new AdminRate(() => ({ limit, windowMs: 60_000 })),
    routes,
    audit: { note: (entry) => entries.push(entry) },
    address: () => '127.0.0.1',
    ending: ending.signal,
    log: silentLog,
    now,
  })
  app.use('/admin', router)
  app.use((_req: unknown, res: express.Response) => res.status(404).json({ reason: 'ROUTE_NOT_FOUND' }))
  app.use((error: unknown, _req: unknown, res: express.Response, _next: unknown) => {
    const { status, reason, message, violations, headers, retryAfterMs } = toGatewayError(error)
    for (let i = 0; i < headers.length; i += 2) res.set(String(headers[i]), headers[i + 1])
    res.status(status).json({ reason, message, violations, retryAfterMs })
  })
  const server = createServer(app)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/admin`
  const ask = (what: string, options?: Parameters<typeof askAdmin>[2]) => askAdmin(base, what, options)
  return { base, ask, entries, calls, ending, told, ended: () => endedStreams }
}

const big = JSON.stringify({ size: 1, pad: 'x'.repeat(1_048_576) })
const nested = '['.repeat(500_000)
const refused: readonly (readonly [string, string, string | undefined, number, string])[] = [
  ['an unknown parameter', 'GET /things?limits=1', undefined, 400, 'INVALID_ARGUMENT'],
  ['a filter that there is not', 'GET /things?filter[name]=x', undefined, 400, 'INVALID_ARGUMENT'],
  ['a parameter twice', 'GET /things?limit=1&limit=2', undefined, 400, 'INVALID_ARGUMENT'],
  ['a number that is none', 'GET /things?limit=many', undefined, 400, 'INVALID_ARGUMENT'],
  ['__proto__ as a parameter', 'GET /things?__proto__=1', undefined, 400, 'INVALID_ARGUMENT'],
  ['a dry run of what changes nothing', 'GET /things?dryRun=true', undefined, 400, 'INVALID_ARGUMENT'],
  ['a dry run that is neither', 'PUT /things/x?dryRun=1', '{"size":1}', 400, 'INVALID_ARGUMENT'],
  ['a wrong type', 'PUT /things/x', '{"size":"1"}', 400, 'INVALID_ARGUMENT'],
  ['an unknown member', 'PUT /things/x', '{"size":1,"sise":2}', 400, 'INVALID_ARGUMENT'],
  ['nothing where something is needed', 'PUT /things/x', '', 400, 'INVALID_ARGUMENT'],
  ['no JSON', 'PUT /things/x', '{"size":', 400, 'INVALID_BODY'],
  ['JSON that is nested without end', 'PUT /things/x', nested, 400, 'INVALID_BODY'],
  [
    'JSON that is nested too deep',
    'POST /things:check',
    '['.repeat(200) + ']'.repeat(200),
    400,
    'INVALID_BODY',
  ],
  ['a huge body', 'PUT /things/x', big, 413, 'BODY_TOO_LARGE'],
  ['a body where none is taken', 'POST /things/x:shake', '{"a":1}', 400, 'INVALID_ARGUMENT'],
  ['a broken percent escape', 'GET /things/%E0%A4%A', undefined, 400, 'PATH_REFUSED'],
  ['another method', 'DELETE /things', undefined, 405, 'METHOD_NOT_ALLOWED'],
  ['a path that there is not', 'GET /thing', undefined, 404, 'ROUTE_NOT_FOUND'],
  ['our own fault', 'POST /things/x:shake', '{}', 500, 'INTERNAL'],
]

test('what cannot be read is refused with the place that is wrong', async (t) => {
  const { ask, calls } = await world(t)
  for (const [name, what, text, status, reason] of refused) {
    const told = await ask(what, text === undefined ? {} : { text })
    assert.deepEqual([told.status, told.json?.reason], [status, reason], `${name}: ${told.text}`)
    if (reason === 'INTERNAL') assert.doesNotMatch(told.text, /a fault of ours/)
  }
  assert.equal(calls.length, 0)
  const told = await ask('PUT /things/x', { text: '{"size":1.5}' })
  assert.equal(told.json.violations[0].field, '/size')
  const bytes = await fetch(`${(await world(t)).base}/things/x`, {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json' },
    body: Buffer.from('{"size":"\xff"}', 'latin1'),
  })
  assert.equal(((await bytes.json()) as { reason: string }).reason, 'INVALID_BODY')
})

test('a list has its next page in its body and in Link (RFC 8288)', async (t) => {
  const { base, ask } = await world(t)
  const seen: string[] = []
  let at: string | undefined = '/things?limit=2&filter[id]=x'
  while (at !== undefined) {
    const { json, headers } = await ask(`GET ${at}`)
    assert.equal(json.total, 5)
    seen.push(...json.items.map(({ id }: { id: string }) => id))
    const link = headers.get('link')
    assert.equal(link === null, json.next === null)
    at = link === null ? undefined : /^<\/admin(.*)>; rel="next"$/.exec(link)?.[1]
    if (link !== null) assert.match(link, /filter/, base)
  }
  assert.deepEqual(seen, ['a', 'b', 'c', 'd', 'e'])
})

test('an id is any text, percent-encoded', async (t) => {
  const { ask } = await world(t)
  for (const id of ['graphql/accounts', 'a%2Fb', '100%', 'größe', 'a b', 'x:y', '日本', "'", '..a'])
    assert.equal((await ask(`GET /things/${encodeURIComponent(id)}`)).json.id, id)
})

test('who has the newest is told so (RFC 9110 section 13.1.2)', async (t) => {
  const { ask } = await world(t)
  for (const tag of ['"1"', 'W/"1"', '"0", "1"', '*'])
    assert.equal((await ask('GET /things/a', { headers: { 'If-None-Match': tag } })).status, 304, tag)
  assert.equal((await ask('GET /things/a', { headers: { 'If-None-Match': '"2"' } })).status, 200)
})

test('a write is told all that was said with it, and noted whatever came of it', async (t) => {
  const { ask, calls, entries } = await world(t)
  const headers = { 'If-Match': '"1"', 'X-Request-Id': 'mine-1' }
  await ask('PUT /things/x?dryRun=true&message=why', { body: { size: 1 }, headers })
  assert.deepEqual(
    [calls[0]?.dryRun, calls[0]?.message, calls[0]?.ifMatch, calls[0]?.by, calls[0]?.body],
    [true, 'why', '"1"', 'local', { size: 1 }],
  )
  await ask('PUT /things/x', { body: { size: 2 } })
  await ask('PUT /things/x', { body: { size: 'secret' } })
  await ask('POST /things/x:shake', { body: {} })
  await ask('POST /things:check', { body: {} })
  await ask('GET /things')
  const told = entries.map(({ action, outcome, status, reason, version }) => [
    action,
    outcome,
    status,
    reason,
    version,
  ])
  assert.deepEqual(told, [
    ['things.put', 'dryRun', 200, null, 7],
    ['things.put', 'done', 200, null, 7],
    ['things.put', 'refused', 400, 'INVALID_ARGUMENT', null],
    ['things.shake', 'failed', 500, 'INTERNAL', null],
  ])
  assert.deepEqual(
    [entries[0]?.requestId, entries[0]?.message, entries[0]?.path],
    ['mine-1', 'why', '/things/x'],
  )
  assert.doesNotMatch(JSON.stringify(entries), /secret/)
})

test('a configuration is taken as YAML or JSON, in every spelling of YAML', async (t) => {
  const { ask } = await world(t)
  for (const type of ['application/yaml', 'application/x-yaml', 'application/json; charset=utf-8'])
    assert.equal(
      (await ask('PUT /text', { text: 'a: 1\n', headers: { 'Content-Type': type } })).text,
      'a: 1\n',
    )
  const form = await ask('PUT /text', { text: 'a: 1\n', headers: { 'Content-Type': 'text/plain' } })
  assert.equal(form.json.reason, 'UNSUPPORTED_MEDIA_TYPE')
})

test('more requests than a token may make in a while wait', async (t) => {
  const clock = { now: 1_000_000 }
  const { ask } = await world(t, { limit: 5, now: () => clock.now })
  for (let i = 0; i < 5; i++) assert.equal((await ask('GET /things')).status, 200)
  const told = await ask('GET /things')
  assert.deepEqual([told.status, told.json.reason, told.json.retryAfterMs], [429, 'RATE_LIMITED', 12_000])
  clock.now += 12_000
  assert.equal((await ask('GET /things')).status, 200)
  assert.equal((await ask('GET /things')).status, 429)
})

test('events are sent as they come, until the client leaves or the gateway ends', async (t) => {
  const { base, ending, told, ended } = await world(t)
  const read = async (signal: AbortSignal) => {
    const reply = await fetch(`${base}/stream`, { signal })
    assert.equal(reply.headers.get('content-type'), 'text/event-stream')
    const reader = reply.body?.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    while (!text.includes('{"n":2}\n\n')) text += (await reader?.read())?.value
    return { text, reader }
  }
  const leaving = new AbortController()
  const { text } = await read(leaving.signal)
  assert.equal(text, 'event: sample\nid: 1\ndata: {"n":1,"text":"two\\nlines"}\n\ndata: {"n":2}\n\n')
  const left = once(told, 'ended')
  leaving.abort()
  await left
  const { reader } = await read(new AbortController().signal)
  ending.abort()
  while ((await reader?.read())?.done !== true);
  assert.equal(ended(), 2)
})
