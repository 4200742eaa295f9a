import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { mkdtemp, rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startGateway, type TestGateway } from '../world.ts'
import { onBothDatabases, ownFolder, startDatabase } from './kinds.ts'

const routes = [{ id: 'r', path: '/r', auth: 'none', respond: { status: 200, json: { ok: true } } }]

interface Check {
  readonly name: string
  readonly ok: boolean
  readonly required: boolean
  readonly detail: string
}

async function databaseCheck({ url }: TestGateway): Promise<{ ready: boolean; check: Check | undefined }> {
  const reply = await fetch(`${url}/readyz?verbose`)
  const { checks } = (await reply.json()) as { checks: Check[] }
  return { ready: reply.status === 200, check: checks.find(({ name }) => name === 'database') }
}

async function untilDatabase(gateway: TestGateway, ok: boolean): Promise<Check> {
  for (const from = performance.now(); ; await sleep(20)) {
    const { ready, check } = await databaseCheck(gateway)
    assert.equal(ready, true, 'the database is not required')
    if (check?.ok === ok) return check
    assert.ok(performance.now() - from < 60_000, JSON.stringify(check))
  }
}

/** Requests one after the other until it is stopped; resolves with how they were answered. */
function load({ url }: TestGateway): { stop(): Promise<{ good: number; bad: string[] }> } {
  let going = true
  const seen = { good: 0, bad: [] as string[] }
  const run = async (): Promise<void> => {
    while (going) {
      try {
        const reply = await fetch(`${url}/r`, { signal: AbortSignal.timeout(30_000) })
        await reply.arrayBuffer()
        if (reply.status === 200) seen.good++
        else seen.bad.push(String(reply.status))
      } catch (error) {
        seen.bad.push(String(error))
      }
    }
  }
  const running = Promise.all([run(), run()])
  return {
    async stop() {
      going = false
      await running
      return seen
    },
  }
}

async function metric({ url }: TestGateway, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
}

async function makeKey({ url }: TestGateway): Promise<number> {
  const headers = { 'Content-Type': 'application/json' }
  const body = JSON.stringify({ consumer: 'shop' })
  const reply = await fetch(`${url}/admin/keys`, { method: 'POST', headers, body })
  await reply.arrayBuffer()
  return reply.status
}

/** The status of an attempt to make another version of the configuration. */
async function putRoute({ url }: TestGateway): Promise<number> {
  const headers = { 'Content-Type': 'application/json' }
  // Longer than any room that is left.
  const respond = { status: 200, body: 'x'.repeat(200_000) }
  const body = JSON.stringify({ path: '/new', auth: 'none', respond })
  const reply = await fetch(`${url}/admin/routes/new`, { method: 'PUT', headers, body })
  await reply.arrayBuffer()
  return reply.status
}

const both = onBothDatabases((kind) => {
  test(`a process that is killed while it writes leaves whole transactions in ${kind.name}, all that it was told of`, async (t) => {
    const url = await kind.url(t)
    const { db } = await startDatabase(t, { url })
    const program = new URL('./endless-writer.ts', import.meta.url).pathname
    let told = 0
    for (let round = 0; round < 3; round++) {
      const writer = spawn(process.execPath, [program, url, `${round}`], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let text = ''
      writer.stdout.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
      })
      const gone = once(writer, 'exit')
      while (text.split('\n').length < 4 + round) await once(writer.stdout, 'data')
      writer.kill('SIGKILL')
      await gone
      told += text.split('\n').length - 1
    }
    const versions = await db
      .selectFrom('config_versions')
      .select(['version', 'document', 'changes'])
      .execute()
    const notes = await db.selectFrom('audit_log').select('version').execute()
    assert.ok(versions.length >= told, `${versions.length} of ${told} that were told`)
    for (const { document, changes } of versions) assert.equal(document.length, Number(changes))
    assert.deepEqual(
      notes.map(({ version }) => version).sort(),
      versions.map(({ version }) => version).sort(),
    )
    const { counter } = await db
      .selectFrom('topics')
      .select('counter')
      .where('name', '=', 'config')
      .executeTakeFirstOrThrow()
    assert.equal(counter, versions.length)
  })
})

for (const fault of ['kill', 'freeze'] as const) {
  test(`PostgreSQL: ${fault} while the gateway serves costs no request, is told of, and is over when it is over`, async (t) => {
    const { postgres } = both
    const database = { url: await postgres.database(), queryTimeout: '1s' }
    const gateway = await startGateway(t, { stores: { database }, routes, consumers: [{ id: 'shop' }] })
    await untilDatabase(gateway, true)
    const served = load(gateway)
    await postgres[fault]()
    const { required, detail } = await untilDatabase(gateway, false)
    assert.deepEqual([required, detail === ''], [false, false])
    assert.equal(await metric(gateway, 'gateway_database_up'), 0)
    const from = performance.now()
    assert.equal(await makeKey(gateway), 503)
    t.diagnostic(`what needs the database is refused after ${(performance.now() - from).toFixed(0)} ms`)
    await postgres[fault === 'kill' ? 'start' : 'thaw']()
    await untilDatabase(gateway, true)
    assert.equal(await metric(gateway, 'gateway_database_up'), 1)
    assert.equal(await makeKey(gateway), 201)
    const { good, bad } = await served.stop()
    assert.deepEqual([bad, good > 0], [[], true])
    const told = gateway.logs.filter(({ message }) => /^the database is (?:down|up)$/.test(String(message)))
    assert.deepEqual(
      told.map(({ message }) => message),
      ['the database is down', 'the database is up'],
    )
    await gateway.gateway.shutdown()
  })
}

test('a gateway starts although PostgreSQL is not there, and uses it when it is', async (t) => {
  const { postgres } = both
  const database = { url: await postgres.database() }
  await postgres.kill()
  const gateway = await startGateway(t, { stores: { database }, routes, consumers: [{ id: 'shop' }] })
  assert.equal((await fetch(`${gateway.url}/r`)).status, 200)
  assert.match((await untilDatabase(gateway, false)).detail, /ECONNREFUSED/)
  await postgres.start()
  await untilDatabase(gateway, true)
  assert.equal(await makeKey(gateway), 201)
})

test('a wrong password is told of, and no part of it', async (t) => {
  const gateway = await startGateway(t, {
    stores: { database: { url: `postgres://nobody:geheim@127.0.0.1:${both.postgres.port}/gateway` } },
    routes,
  })
  assert.match((await untilDatabase(gateway, false)).detail, /role "nobody" does not exist/)
  assert.ok(!JSON.stringify([gateway.logs, await databaseCheck(gateway)]).includes('geheim'))
})

const unusable: readonly (readonly [string, (folder: string) => string, RegExp])[] = [
  [
    'a folder that is a file',
    (folder) => {
      writeFileSync(join(folder, 'data'), '')
      return join(folder, 'data', 'gateway.db')
    },
    /EEXIST|ENOTDIR/,
  ],
  [
    'a file that is no database',
    (folder) => {
      writeFileSync(join(folder, 'gateway.db'), 'something else'.repeat(1_000))
      return join(folder, 'gateway.db')
    },
    /not a database/,
  ],
]
for (const [what, make, says] of unusable) {
  test(`a gateway starts over ${what}, serves, and says so`, async (t) => {
    const url = `sqlite:${make(await ownFolder(t))}`
    const gateway = await startGateway(t, {
      stores: { database: { url } },
      routes,
      consumers: [{ id: 'shop' }],
    })
    assert.equal((await fetch(`${gateway.url}/r`)).status, 200)
    assert.match((await untilDatabase(gateway, false)).detail, says)
    assert.equal(await makeKey(gateway), 503)
  })
}

// A file system of its own, where we may make one.
const mayMount = process.getuid?.() === 0 && canMount()

test('a disk that is full costs no request, is told of, and is over when there is room', {
  skip: !mayMount && 'only root mounts',
}, async (t) => {
  const disk = await mounted(t, 'size=2m')
  const database = { url: `sqlite:${disk}/gateway.db`, queryTimeout: '10s' }
  const gateway = await startGateway(t, { stores: { database }, routes, consumers: [{ id: 'shop' }] })
  assert.equal(await makeKey(gateway), 201)
  const served = load(gateway)
  execFileSync('sh', ['-c', `cat /dev/zero > ${disk}/ballast 2>/dev/null || true`])
  // There may be some room left in what it has of the disk already.
  for (let i = 0; i < 1_000 && (await makeKey(gateway)) === 201; i++);
  assert.match((await untilDatabase(gateway, false)).detail, /full|disk/)
  // No half of a version.
  assert.deepEqual([await putRoute(gateway), (await fetch(`${gateway.url}/new`)).status], [503, 404])
  execFileSync('rm', [`${disk}/ballast`])
  await untilDatabase(gateway, true)
  assert.equal(await makeKey(gateway), 201)
  assert.deepEqual([await putRoute(gateway), (await fetch(`${gateway.url}/new`)).status], [201, 200])
  const { good, bad } = await served.stop()
  assert.deepEqual([bad, good > 0], [[], true])
  await gateway.gateway.shutdown()
})

test('a data folder that is read only is told of, and the gateway serves', {
  skip: !mayMount && 'only root mounts',
}, async (t) => {
  const disk = await mounted(t, 'size=2m,ro')
  const gateway = await startGateway(t, {
    stores: { database: { url: `sqlite:${disk}/gateway.db` } },
    routes,
  })
  assert.equal((await fetch(`${gateway.url}/r`)).status, 200)
  assert.match((await untilDatabase(gateway, false)).detail, /EROFS/)
  execFileSync('mount', ['-o', 'remount,rw', disk])
  await untilDatabase(gateway, true)
  await gateway.gateway.shutdown()
})

async function mounted(t: TestContext, options: string): Promise<string> {
  const disk = await mkdtemp(join(tmpdir(), 'trivium-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', disk])
  t.after(async () => {
    execFileSync('umount', ['-l', disk])
    await rmdir(disk)
  })
  return disk
}

function canMount(): boolean {
  try {
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
