import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Subgraph, schemas, startSubgraph } from '../subgraphs.ts'

export type Name = 'accounts' | 'products' | 'reviews'

/** A gateway in a process of its own over the three subgraphs of subgraphs.ts, which run here. */
export interface World {
  readonly subgraphs: Readonly<Record<Name, Subgraph>>
  /** Sends a request to it, and reads all of the answer. */
  send(init: RequestInit, search?: string): Promise<Told>
  ask(query: string, variables?: object): Promise<Told>
  /** The longest time that its event loop stood still since the last question, in milliseconds. */
  pause(): Promise<number>
  /** Bytes in use after garbage collection. */
  heap(): Promise<number>
  readonly isRunning: boolean
  close(): Promise<void>
}

/** An answer in few words. */
export interface Told {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: an answer has any shape; the assertions check it
  readonly data?: any
  /** `me.reviews UPSTREAM_TIMEOUT` */
  readonly errors: readonly string[]
  readonly messages: readonly string[]
  readonly bytes: number
}

const entry = fileURLToPath(new URL('./probed-gateway.ts', import.meta.url))

export async function startWorld(): Promise<World> {
  const names = ['accounts', 'products', 'reviews'] as const
  const [accounts, products, reviews] = (await Promise.all(names.map((name) => startSubgraph(name)))) as [
    Subgraph,
    Subgraph,
    Subgraph,
  ]
  const subgraphs = { accounts, products, reviews }
  const folder = mkdtempSync(join(tmpdir(), 'trivium-bad-input-'))
  for (const name of names) writeFileSync(join(folder, `${name}.graphql`), schemas[name] ?? '')
  const config = {
    server: { listen: '127.0.0.1:0', overload: { eventLoopDelay: '0s', heapPercent: 0 } },
    upstreams: Object.fromEntries(
      names.map((name) => [
        name,
        {
          targets: [{ url: subgraphs[name].url }],
          timeouts: { request: '2s' },
          retry: { attempts: 1 },
        },
      ]),
    ),
    graphql: {
      auth: 'none',
      subgraphs: Object.fromEntries(
        names.map((name) => [
          name,
          { upstream: name, path: '/graphql', schema: join(folder, `${name}.graphql`) },
        ]),
      ),
    },
  }
  const child: ChildProcess = fork(entry, [JSON.stringify(config)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const died = once(child, 'exit').then(([code]) =>
    Promise.reject(new Error(`the gateway ended with ${code}`)),
  )
  died.catch(() => {})
  const told = async (): Promise<unknown> => {
    const [message] = await Promise.race([once(child, 'message'), died])
    return message
  }
  const url = await told()
  const question = async (name: string): Promise<number> => {
    const answer = told()
    child.send(name)
    return Number(await answer)
  }
  const send: World['send'] = async (init, search = '') => {
    const response = await fetch(`${url}/graphql${search}`, { method: 'POST', ...init })
    const text = await response.text()
    const { data, errors = [] } = JSON.parse(text) as {
      data?: unknown
      errors?: { message: string; path?: (string | number)[]; extensions: { reason: string } }[]
    }
    return {
      status: response.status,
      data,
      errors: errors.map(({ path = [], extensions }) => `${path.join('.')} ${extensions.reason}`.trim()),
      messages: errors.map(({ message }) => message),
      bytes: text.length,
    }
  }
  return {
    subgraphs,
    send,
    ask: (query, variables) =>
      send({
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query, variables }),
      }),
    pause: () => question('pause'),
    heap: () => question('heap'),
    get isRunning() {
      return isUp(child)
    },
    close: async () => {
      if (isUp(child)) {
        const ended = once(child, 'exit')
        child.send('end')
        await ended
      }
      rmSync(folder, { recursive: true, force: true })
      await Promise.all(Object.values(subgraphs).map((subgraph) => subgraph.close()))
      assert.equal(child.signalCode, null)
    },
  }
}

function isUp(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null
}
