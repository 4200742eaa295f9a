import { type Client, credentials, loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { Pool } from 'undici'
import { Random } from '../front-ends/grpc/codec/random.ts'
import { type Clients, type RequestKind, requestKinds } from './request-kinds.ts'

/** A request, and what came of it. */
export interface Sent {
  readonly id: string
  readonly kind: RequestKind
  /** When it was due; milliseconds since 1970. */
  readonly dueAt: number
  /** Milliseconds from then to the last byte of the answer; undefined while it is under way. */
  tookMs: number | undefined
  /** Why it failed. */
  failure: string | undefined
}

/**
 * Steady load of all kinds of requests. Each is sent when it is due, whether those before it are answered or not, and its time
 * counts from when it was due, so that what waits is not left out (coordinated omission).
 */
export class Load implements AsyncDisposable {
  /** Everything so far, oldest first. */
  readonly sent: Sent[] = []
  readonly #clients: Clients
  readonly #perSecond: number
  readonly #startedAt = performance.now()
  readonly #chance = new Random(1)
  readonly #open = new Set<Promise<void>>()
  #timer: NodeJS.Timeout | undefined

  /** Begins at once. `url`: of the gateway; `prefix`: of the ids. */
  constructor(url: string, { perSecond, prefix }: { readonly perSecond: number; readonly prefix: string }) {
    this.#clients = connect(url)
    this.#perSecond = perSecond
    this.#timer = setInterval(() => this.#sendDue(prefix), tickMs)
  }

  /** Sends nothing more, and resolves when all that is under way has ended. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(this.#open)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    this.#clients.grpc.close()
    await this.#clients.http.destroy()
  }

  #sendDue(prefix: string): void {
    const now = performance.now()
    for (;;) {
      const number = this.sent.length
      const dueAt = this.#startedAt + (number * 1_000) / this.#perSecond
      if (dueAt > now) return
      // In turn, each kind would always meet the same of targets in turn.
      const kind = this.#chance.pick(requestKinds)
      const one: Sent = {
        id: `${prefix}-${number}`,
        kind,
        dueAt: performance.timeOrigin + dueAt,
        tookMs: undefined,
        failure: undefined,
      }
      this.sent.push(one)
      const settled = kind.ask(this.#clients, one.id).then((failure) => {
        one.tookMs = performance.now() - dueAt
        one.failure = failure
        this.#open.delete(settled)
      })
      this.#open.add(settled)
    }
  }
}

const tickMs = 2
const connections = 512

function connect(url: string): Clients {
  const root = new URL('../..', import.meta.url).pathname
  const definitions = loadSync(`${root}test/chaos/things.proto`, {
    includeDirs: [`${root}node_modules/google-proto-files`],
  })
  const { chaos } = loadPackageDefinition(definitions) as unknown as {
    readonly chaos: { readonly v1: { readonly Things: ServiceClientConstructor } }
  }
  const grpc = new chaos.v1.Things(new URL(url).host, credentials.createInsecure(), {
    'grpc.enable_retries': 0,
  })
  return { http: new Pool(url, { connections }), grpc: grpc as unknown as Clients['grpc'] & Client }
}
