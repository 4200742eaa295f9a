import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type DoorBackend, doors } from '../doors/door.ts'
import { startGateway } from '../world.ts'

// The issue of the control plane: no request fails by a change of the configuration, over all protocols; security.md: nothing grows with reloads.
const changes = 50
const warmUp = 10
const clientsPerDoor = 2

test(`${changes} changes under load of all three protocols fail no request, and leave no memory, socket or file behind`, async (t) => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const { backends, config } = await threeDoors(t)
  const { url, gateway } = await startGateway(t, config)
  const tables: WeakRef<object>[] = []
  const change = async (i: number): Promise<void> => {
    tables.push(new WeakRef(gateway.table))
    const before = gateway.table
    // Every third builds the same again; the others put all upstreams, and their connections, aside.
    if (i % 3 === 0) assert.equal(await gateway.reload(), true)
    else
      await gateway.control.write(
        backends.map(({ name }) => ({
          op: 'patch',
          kind: 'upstreams',
          id: name,
          value: { timeouts: { request: `${i + 10}s` } },
        })),
        { by: 'the test' },
      )
    assert.notEqual(gateway.table, before)
  }
  const load = startLoad(url, backends)
  const upTo = async (last: number, first: number): Promise<Footprint> => {
    for (let i = first; i <= last; i++) {
      const asked = load.answers()
      await change(i)
      // So that each configuration has requests of each door.
      await load.answered(asked + 2 * clientsPerDoor * backends.length)
    }
    return await footprint(gc, tables)
  }
  await load.answered(100)
  const { files } = await footprint(gc, tables)
  const first = await upTo(warmUp, 1)
  const last = await upTo(changes, warmUp + 1)
  await load.stop()
  t.diagnostic(
    `${load.answers()} answers; ${JSON.stringify(first)} after ${warmUp} changes, ${JSON.stringify(last)} after ${changes}`,
  )
  assert.deepEqual(load.failures.slice(0, 5), [])
  // Those whose last requests are on their way.
  assert.ok(last.tables <= 3, `${last.tables} old configurations are in memory`)
  assert.ok(last.heapMb - first.heapMb < 15, 'the heap grows')
  // Backends close what is left open after a while: that is to be seen at once.
  assert.ok(Math.max(first.files, last.files) - files < 20, 'sockets or files are left open')
})

interface Named {
  readonly name: string
  readonly backend: DoorBackend
}

/** One configuration with the place of every door, each with an upstream of its own. */
async function threeDoors(t: TestContext): Promise<{ backends: readonly Named[]; config: object }> {
  const backends: Named[] = []
  let config: object = {}
  let upstreams: object = {}
  // The fourth leads to the place of the first.
  for (const door of doors.slice(0, 3)) {
    const backend = await door.start(t)
    const { name } = door
    const text = JSON.stringify(backend.config({ auth: 'none' })).replaceAll('"backend"', `"${name}"`)
    const part = JSON.parse(text) as { readonly upstreams: object }
    upstreams = { ...upstreams, ...part.upstreams }
    config = { ...config, ...part }
    backends.push({ name, backend })
  }
  return { backends, config: { ...config, upstreams } }
}

function startLoad(url: string, backends: readonly Named[]) {
  const failures: string[] = []
  let answers = 0
  let stopped = false
  const client = async ({ name, backend }: Named): Promise<void> => {
    while (!stopped) {
      try {
        const answer = await backend.ask(url)
        const text = await answer.text()
        if (answer.status !== 200 || text.includes('"errors"'))
          failures.push(`${name}: ${answer.status} ${text}`)
      } catch (error) {
        failures.push(`${name}: ${String(error)}`)
      }
      answers++
    }
  }
  const running = backends.flatMap((one) => Array.from({ length: clientsPerDoor }, () => client(one)))
  return {
    failures,
    answers: () => answers,
    answered: async (count: number): Promise<void> => {
      while (answers < count) await delay(5)
    },
    stop: async (): Promise<void> => {
      stopped = true
      await Promise.all(running)
    },
  }
}

interface Footprint {
  /** Configurations that took requests before and are in memory. */
  readonly tables: number
  readonly heapMb: number
  /** Open files and sockets; 0 where /proc is not. */
  readonly files: number
}

/** The least of some looks: requests are under way all the time. */
async function footprint(gc: () => void, tables: readonly WeakRef<object>[]): Promise<Footprint> {
  const looks: Footprint[] = []
  for (let i = 0; i < 10; i++) {
    await delay(50)
    gc()
    looks.push({
      tables: tables.filter((table) => table.deref() !== undefined).length,
      heapMb: Math.round(process.memoryUsage().heapUsed / 1e6),
      files: process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0,
    })
  }
  const least = (key: keyof Footprint): number => Math.min(...looks.map((look) => look[key]))
  return { tables: least('tables'), heapMb: least('heapMb'), files: least('files') }
}
