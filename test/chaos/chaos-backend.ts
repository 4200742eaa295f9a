import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../services/free-port.ts'
import { type OwnNode, startOwnNode } from '../services/own-node.ts'
import { type Behaviour, behaviourPath } from './behaviour.ts'
import { keptFolder } from './kept-folder.ts'

/** Something that has reached a backend. */
export interface Arrival {
  readonly id: string
  /** Milliseconds since 1970. */
  readonly at: number
}

/** `a`, `b` and `c`. */
export type ThreeBackends = readonly [ChaosBackend, ChaosBackend, ChaosBackend]

/** Starts three backends, and leaves their end to `resources`. */
export async function startThreeBackends(resources: AsyncDisposableStack): Promise<ThreeBackends> {
  const folder = await keptFolder('chaos', resources)
  const start = async (name: string): Promise<ChaosBackend> =>
    resources.use(await ChaosBackend.start(name, folder))
  return Promise.all([start('a'), start('b'), start('c')])
}

/** One of the backends, a process that can be killed, started again on the same ports, frozen, and told how to behave. */
export class ChaosBackend implements AsyncDisposable {
  readonly name: string
  readonly httpUrl: string
  readonly grpcUrl: string
  readonly #ports: { readonly http: number; readonly grpc: number }
  readonly #journal: string
  readonly #arrivals: Arrival[] = []
  #readBytes = 0
  #node: OwnNode | undefined

  private constructor(name: string, ports: { readonly http: number; readonly grpc: number }, folder: string) {
    this.name = name
    this.#ports = ports
    this.httpUrl = `http://127.0.0.1:${ports.http}`
    this.grpcUrl = `http://127.0.0.1:${ports.grpc}`
    this.#journal = join(folder, `${name}.journal`)
  }

  /** Its journal is kept in `folder`. */
  static async start(name: string, folder: string): Promise<ChaosBackend> {
    const backend = new ChaosBackend(name, { http: await freePort(), grpc: await freePort() }, folder)
    await backend.start()
    return backend
  }

  /** Resolves when it accepts connections. */
  async start(): Promise<void> {
    const { http, grpc } = this.#ports
    this.#node = await startOwnNode({
      file: 'test/chaos/backend/main.ts',
      environment: { GRPC_PORT: `${grpc}`, JOURNAL: this.#journal },
      port: http,
    })
  }

  /** By SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    await this.#node?.[Symbol.asyncDispose]()
  }

  /** By SIGTERM: it ends what is under way; resolves when it is gone. */
  async stop(): Promise<void> {
    this.#node?.signal('SIGTERM')
    await this.#node?.ended
    await this.kill()
  }

  freeze(): void {
    this.#node?.signal('SIGSTOP')
  }

  thaw(): void {
    this.#node?.signal('SIGCONT')
  }

  async behave(behaviour: Behaviour): Promise<void> {
    const told = await fetch(this.httpUrl + behaviourPath, { method: 'PUT', body: JSON.stringify(behaviour) })
    if (!told.ok) throw new Error(`backend ${this.name} did not take ${JSON.stringify(behaviour)}`)
    await told.text()
  }

  /** All that has reached it, in all its lives, oldest first. */
  async arrivals(): Promise<readonly Arrival[]> {
    const journal = await open(this.#journal)
    try {
      const { size } = await journal.stat()
      const unread = Buffer.alloc(size - this.#readBytes)
      await journal.read(unread, 0, unread.length, this.#readBytes)
      const lines = unread.subarray(0, unread.lastIndexOf('\n') + 1)
      this.#readBytes += lines.length
      for (const line of lines.toString().split('\n').slice(0, -1)) {
        const [id = '', at] = line.split(' ')
        this.#arrivals.push({ id, at: Number(at) })
      }
    } finally {
      await journal.close()
    }
    return this.#arrivals
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}
