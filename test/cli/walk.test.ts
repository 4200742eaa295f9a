import assert from 'node:assert/strict'
import { test } from 'node:test'
import { folderOf } from '../config/files.ts'
import { startBackend } from '../world.ts'
import { runCli, startCli } from './child.ts'

/** What README promises to who has nothing but README and `gateway --help`; the commands are its own. */
test('a newcomer adds, calls, finds, changes, takes back, and reads who did what', async (t) => {
  const backend = await startBackend(t)
  const inFolder = folderOf(t, {
    'gateway.yaml':
      'server: { listen: "127.0.0.1:0", shutdown: { drainDelay: 0s, gracePeriod: 1s } }\nplugins: [requestId]\n',
  })
  const gateway = await startCli(t, inFolder('gateway.yaml'))
  const run = async (...args: string[]) => {
    const ended = await runCli(args, {
      cwd: inFolder(''),
      env: { GATEWAY_ADMIN_URL: `${gateway.url}/admin` },
    })
    assert.deepEqual([ended.code, ended.err], [0, ''], args.join(' '))
    return ended.out
  }

  assert.match(
    await run('upstreams', 'add', 'shop', backend.url),
    /^\+ upstreams\/shop\n[\s\S]*version 2 runs; gateway rollback 1 takes it back\n$/,
  )
  await run('consumers', 'add', 'acme')
  assert.match(
    await run('routes', 'add', 'shop', '--path', '/v1/shop/**', '--upstream', 'shop', '--limit', '100/1m'),
    /version 4 runs/,
  )
  const { key } = JSON.parse(await run('keys', 'create', 'acme', '--json')) as { key: string }

  const call = (): Promise<Response> =>
    fetch(`${gateway.url}/v1/shop/carts/1`, { headers: { 'X-API-Key': key } })
  const answer = await call()
  assert.equal(answer.status, 200)
  const trace = answer.headers.get('x-trace-id') ?? ''
  const nothing = await runCli(['logs', '--trace', 'f'.repeat(32), '--url', gateway.url], {
    cwd: inFolder(''),
  })
  assert.deepEqual([nothing.code, nothing.err], [1, ''])
  assert.match(nothing.out, /^no request of the log fits; one node knows .*requestLog\.database\n$/)
  const found = await run('logs', '--trace', trace)
  assert.match(found, /200 {2}GET \/v1\/shop\/carts\/1/)
  assert.match(
    found,
    new RegExp(`consumer acme[\\s\\S]*call GET of shop for shop[\\s\\S]*attempt ${backend.url} {2}200`),
  )

  assert.match(
    await run('routes', 'set', 'shop', '--limit', '1/1m', '--message', 'too much'),
    /~ routes\/shop\n {4}plugins\[0\]\.rateLimit\.limit: 100 -> 1\nversion 5 runs/,
  )
  // What was counted before may count on.
  await call()
  assert.equal((await call()).status, 429)
  assert.match(await run('logs', '--status', '429'), /429 {2}GET \/v1\/shop\/carts\/1 .*RATE_LIMITED/)
  assert.match(
    await run('routes', 'explain', 'GET', '/v1/shop/carts/1'),
    /^> rest ANY \/v1\/shop\/\*\* \[shop\]: takes it \(to shop; auth required;/,
  )

  const versions = await run('versions')
  assert.match(
    versions,
    /^VERSION +WHEN +WHO +ORIGIN +CHANGES +MESSAGE\n5 .*local +api +routes\/shop updated +too much\n/,
  )
  await run('rollback', '4', '--message', 'it was not')
  // A hundred a minute are earned one by one, should nothing be left.
  let status = 429
  while (status === 429) status = (await call()).status
  assert.equal(status, 200)

  const audit = await run('audit')
  assert.match(
    audit,
    /versions\S*rollback[\s\S]*routes\S* .*~routes\/shop plugins\[0\]\.rateLimit\.limit: 100 -> 1 +too much/,
  )
  assert.ok(!audit.includes(key))

  // What is asked of the whole.
  const now = await run('export')
  assert.match(now, /limit: 100/)
  assert.equal(
    (await runCli(['diff', '--url', gateway.url], { cwd: inFolder('') })).code,
    2,
    'the file has not the route',
  )
  assert.match(await run('status'), /^NODE[\s\S]*serves/)
  await run('routes', 'remove', 'shop')
  assert.equal((await call()).status, 404)
})
