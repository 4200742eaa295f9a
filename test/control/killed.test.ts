import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { askAdmin } from '../admin/admin-world.ts'
import { startCli } from '../cli/child.ts'
import { folderOf } from '../config/files.ts'
import { route, yamlOf } from './nodes.ts'

test('a gateway that is killed while versions are written starts with a whole one, and none that it told of is lost', async (t) => {
  const inFolder = folderOf(t, {
    // As long as those that take a while to write.
    'gateway.yaml': `${yamlOf('sqlite:./g.db', { r: 'first' })}# ${'x'.repeat(50_000)}\n`,
  })
  /** Text by version, of all writes that were answered. */
  const told = new Map<number, string>()
  for (let round = 0; round < 2; round++) {
    const gateway = await startCli(t, inFolder('gateway.yaml'))
    const admin = `${gateway.url}/admin`
    const enough = told.size + 3 + round
    const write = async (writer: number): Promise<void> => {
      for (let i = 0; ; i++) {
        const body = `${round}-${writer}-${i}`
        const made = await askAdmin(admin, 'PATCH /routes/r', { body: { respond: { body } } })
        assert.equal(made.status, 200, made.text)
        told.set(made.json.version, body)
        if (told.size === enough) gateway.child.kill('SIGKILL')
      }
    }
    // They end with the connection.
    for (const ended of await Promise.allSettled([write(0), write(1)]))
      if (ended.status === 'rejected' && ended.reason instanceof assert.AssertionError) throw ended.reason
    await gateway.ended
  }
  const database = new DatabaseSync(inFolder('g.db'), { readOnly: true })
  const [check] = database.prepare('pragma integrity_check').all()
  database.close()
  assert.deepEqual({ ...check }, { integrity_check: 'ok' })

  const { url } = await startCli(t, inFolder('gateway.yaml'))
  const { json } = await askAdmin(`${url}/admin`, 'GET /config/versions?limit=200')
  const newest = json.items[0].version as number
  assert.equal(json.total, newest, 'none is missing in between')
  for (const [version, text] of told) {
    assert.ok(version <= newest, `version ${version} is lost`)
    const { json: kept } = await askAdmin(`${url}/admin`, `GET /config/versions/${version}`)
    assert.match(JSON.stringify(kept), new RegExp(`body: ${text}\\b`))
  }
  const health = (await (await fetch(`${url}/health`)).json()) as { configVersion: number }
  assert.equal(health.configVersion, newest)
  // What runs is the newest, whether or not its writer heard of it.
  const { text: running } = await askAdmin(`${url}/admin`, 'GET /config')
  const served = await (await fetch(`${url}/r`)).text()
  assert.ok(running.includes(`body: ${served}`))
  assert.equal(served, told.get(newest) ?? served)
  assert.equal((await askAdmin(`${url}/admin`, 'PUT /routes/s', { body: route('s', 'on') })).status, 201)
})
