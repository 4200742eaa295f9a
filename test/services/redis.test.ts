import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { Redis as Client } from 'ioredis'
import { startRedis } from './redis.ts'

test('starts an empty Redis that answers, and ends it', async () => {
  const redis = await startRedis()
  const client = new Client(redis.url)
  assert.equal(await client.dbsize(), 0)
  assert.deepEqual(await client.config('GET', 'save'), ['save', ''])
  const [, folder] = (await client.config('GET', 'dir')) as string[]
  client.disconnect()
  await redis.stop()
  assert.throws(() => process.kill(redis.pid, 0), { code: 'ESRCH' })
  assert.equal(existsSync(String(folder)), false)
})

test('starts again on the same port after a kill, and its old client comes back', async () => {
  const first = await startRedis()
  const client = new Client(first.url, { retryStrategy: () => 20, maxRetriesPerRequest: null })
  client.on('error', () => {})
  await client.set('key', 'kept in memory only')
  await first.kill()
  const second = await startRedis({ port: first.port })
  assert.equal(await client.get('key'), null)
  client.disconnect()
  await second.stop()
  await first.stop()
})

test('answers nothing while it is paused, and can be stopped then', async () => {
  const redis = await startRedis()
  const client = new Client(redis.url, { commandTimeout: 200 })
  client.on('error', () => {})
  await client.ping()
  redis.pause()
  await assert.rejects(client.ping(), /timed out/)
  redis.resume()
  assert.equal(await client.ping(), 'PONG')
  redis.pause()
  client.disconnect()
  await redis.stop()
})

test('says why when its port is in use', async () => {
  const redis = await startRedis()
  await assert.rejects(startRedis({ port: redis.port }), /in use/)
  await redis.stop()
})

for (const end of ['process.exit()', 'process.kill(process.pid, "SIGKILL")']) {
  test(`ends with a process that ends by ${end}`, async () => {
    const module = JSON.stringify(new URL('./redis.ts', import.meta.url).href)
    const code = `import { startRedis } from ${module}
      const redis = await startRedis()
      process.stdout.write(redis.url, () => ${end})`
    const folder = await mkdtemp(join(tmpdir(), 'trivium-redis-'))
    const run = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], {
      env: { ...process.env, TMPDIR: folder },
    })
    const { stdout: url } = await run.catch((error) => error as { stdout: string })
    assert.match(url, /^redis:/)
    await refused(Number(new URL(url).port))
    await rm(folder, { recursive: true })
  })
}

/** Resolves when connections to the port are refused; one that is still accepted is waited for. */
async function refused(port: number): Promise<void> {
  for (let code: unknown; code !== 'ECONNREFUSED'; ) {
    const socket = connect(port, '127.0.0.1').resume()
    code = await once(socket, 'close').catch((error: NodeJS.ErrnoException) => error.code)
  }
}
