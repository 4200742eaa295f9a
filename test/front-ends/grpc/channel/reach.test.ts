import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { until } from '../../../until.ts'
import { startBackend } from './backend.ts'
import { call, channelKinds, verdict } from './channels.ts'

// How every channel finds its backend, loses it, and finds it again.

for (const { name, open } of channelKinds) {
  describe(name, () => {
    test('a refused connection is not reached', async () => {
      const lost = open(`http://127.0.0.1:${await closedPort()}`)
      const expected = { code: 14, failure: 'refused', reached: false, fromBackend: false }
      for (let i = 0; i < 3; i++) assert.deepEqual(verdict(await call(lost)), expected)
      lost.close()
    })

    test('a name that does not resolve is not reached', async () => {
      const lost = open('http://nowhere.invalid:80')
      assert.deepEqual(verdict(await call(lost)), {
        code: 14,
        failure: 'dns',
        reached: false,
        fromBackend: false,
      })
      lost.close()
    })

    test('a server that accepts and says nothing is given up after connectTimeoutMs', async () => {
      const mute = await startMute()
      const lost = open(mute.url, { connectTimeoutMs: 150 })
      const startedAt = performance.now()
      const told = await call(lost)
      lost.close()
      mute.close()
      assert.deepEqual(verdict(told), {
        code: 14,
        failure: 'connectTimeout',
        reached: false,
        fromBackend: false,
      })
      assert.ok(performance.now() - startedAt < 2_000)
    })

    test('a deadline before there is a connection is not reached', async () => {
      const mute = await startMute()
      const lost = open(mute.url)
      const told = await call(lost, { timeoutMs: 100 })
      lost.close()
      mute.close()
      assert.deepEqual(verdict(told), { code: 4, failure: 'deadline', reached: false, fromBackend: false })
    })

    test('IPv6 is spoken', async () => {
      const six = await startBackend({ host: '[::1]' })
      const there = open(six.url)
      assert.equal((await call(there)).end.code, 0)
      there.close()
      six.close()
    })

    test('a server that comes back is found within two seconds', async () => {
      const first = await startBackend()
      const lost = open(first.url)
      assert.equal((await call(lost)).end.code, 0)
      first.close()
      const { end } = await call(lost)
      assert.equal(end.fromBackend, false)
      const second = await startBackend({ port: first.port })
      const startedAt = performance.now()
      while ((await call(lost)).end.code !== 0) {
        assert.ok(performance.now() - startedAt < 2_000)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      lost.close()
      second.close()
    })

    test('a graceful restart under load fails no call that may be sent again', async () => {
      const state = { backend: await startBackend(), stop: false, failed: [] as object[], done: 0 }
      const { port } = state.backend
      const through = open(state.backend.url)
      const worker = async (): Promise<void> => {
        while (!state.stop) {
          const giveUpAt = performance.now() + 3_000
          for (;;) {
            const told = await call(through, { path: '/test.Test/SlowEcho' })
            if (told.end.code === 0) break
            if (told.end.reached || performance.now() > giveUpAt) {
              state.failed.push({ ...verdict(told), message: told.end.message })
              break
            }
            await new Promise((resolve) => setTimeout(resolve, 25))
          }
          state.done++
        }
      }
      const workers = Array.from({ length: 50 }, worker)
      for (let restart = 0; restart < 4; restart++) {
        await until(() => state.done > restart * 300 + 100)
        await state.backend.shutDown()
        state.backend = await startBackend({ port })
      }
      await until(() => state.done > 1_300)
      state.stop = true
      await Promise.all(workers)
      through.close()
      state.backend.close()
      assert.deepEqual(state.failed, [])
    })

    test('a closed channel finishes its calls and takes no more', async () => {
      const backend = await startBackend()
      const closing = open(backend.url)
      const running = call(closing, { path: '/test.Test/SlowEcho', message: Buffer.from('last') })
      await call(closing)
      closing.close()
      assert.equal(String((await running).messages[0]), 'last')
      const { end } = await call(closing)
      assert.deepEqual([end.fromBackend, end.reached], [false, false])
      backend.close()
    })
  })
}

/** Accepts connections and never says a word. */
async function startMute(): Promise<{ readonly url: string; close(): void }> {
  const sockets: Socket[] = []
  const server = createServer((socket) => sockets.push(socket.on('error', () => {}))).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const port = portOf(server)
  server.close()
  await once(server, 'close')
  return port
}

function portOf(server: ReturnType<typeof createServer>): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
