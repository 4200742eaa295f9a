import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { silentLog } from '../../src/core/log.ts'
import { KeptReleases } from '../../src/kept-releases.ts'
import type { Database } from '../../src/store/database.ts'
import { Release } from '../../src/traffic/canary/release.ts'
import { until } from '../until.ts'
import { onBothDatabases, startDatabase } from './kinds.ts'

interface Node {
  readonly release: Release
  readonly database: Database
  end(): Promise<void>
}

let clock = 1_795_000_000_000

async function node(t: TestContext, url: string, configuration: unknown = { steps: 3 }): Promise<Node> {
  const database = await startDatabase(t, { url })
  const releases = new KeptReleases(database, silentLog)
  const end = async (): Promise<void> => {
    await releases.close()
    await database.close()
  }
  t.after(end)
  await releases.start()
  const release = new Release('users', {
    steps: [5, 25, 100].map((weight) => ({ weight, holdMs: undefined })),
    analysis: { minRequests: 10, maxErrorRate: 0.1, maxP95Ratio: 2, p95ToleranceMs: 5 },
    onFailure: 'rollback',
    log: silentLog,
    now: () => ++clock,
  })
  releases.follow(release, configuration)
  releases.began([release])
  return { release, database, end }
}

onBothDatabases((kind) => {
  suite(`releases of canaries in ${kind.name}`, () => {
    test('stand after a restart where they stood, but not with another configuration', async (t) => {
      const url = await kind.url(t)
      const before = await node(t, url)
      before.release.promote()
      before.release.pause()
      const { state } = before.release
      await before.end()
      const after = await node(t, url)
      assert.deepEqual(after.release.state, state)
      assert.deepEqual([after.release.phase, after.release.weight], ['paused', 25])
      assert.equal((await node(t, url, { steps: 4 })).release.weight, 5)
    })

    test('hold their first step from when it began, on all nodes and after a restart', async (t) => {
      const url = await kind.url(t)
      const first = await node(t, url)
      const { since } = first.release.state
      const rows = () => first.database.db.selectFrom('canary_states').select('since').execute()
      await until(async () => (await rows()).length === 1)
      const second = await node(t, url)
      assert.equal(second.release.state.since, since)
      await first.end()
      await second.end()
      const again = await node(t, url)
      assert.deepEqual([again.release.state.since, again.release.weight], [since, 5])
    })

    test('what one node does, all do: by hand, and because a limit was broken', async (t) => {
      const url = await kind.url(t)
      const [one, other] = await Promise.all([node(t, url), node(t, url)])
      one.release.promote()
      await until(() => other.release.weight === 25)
      other.release.pause()
      await until(() => one.release.phase === 'paused')
      one.release.resume()
      await until(() => other.release.phase === 'progressing')
      for (let i = 0; i < 30; i++) other.release.record('canary', 'failed', 1)
      assert.equal(other.release.phase, 'rolledBack')
      await until(() => one.release.phase === 'rolledBack')
      assert.deepEqual([one.release.weight, one.release.state], [0, other.release.state])
      assert.match(one.release.status().reason ?? '', /./)
    })

    test('of a stop and a step forward at the same time the stop holds', async (t) => {
      const url = await kind.url(t)
      for (const order of [0, 1]) {
        const nodes = await Promise.all([node(t, url, order), node(t, url, order)])
        const [stopping, going] = order === 0 ? nodes : [nodes[1], nodes[0]]
        going.release.promote()
        stopping.release.abort()
        await until(() => nodes.every(({ release }) => release.phase === 'aborted'))
        await sleep(100)
        assert.deepEqual(
          nodes.map(({ release }) => release.phase),
          ['aborted', 'aborted'],
        )
      }
    })
  })
})
