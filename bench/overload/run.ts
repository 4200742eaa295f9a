import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { startBenchGateway } from '../gateway.ts'

// What `node bench/overload/run.ts` runs: a gateway that gets more requests than it can serve, with load shedding and without. Every
// request costs 5 ms of its processor, so that it can serve 200 a second. Each client has a connection, asks, and asks again when it was
// answered: at once, or after a second when it was refused. Who has waited for 3 s gives up and connects anew.

const costMs = 5
const patienceMs = 3_000
const refusedPauseMs = 1_000

interface Phase {
  readonly name: string
  readonly clients: number
  readonly seconds: number
}

const phases = (many: number): Phase[] => [
  { name: '10 clients', clients: 10, seconds: 5 },
  { name: `${many} clients, first 10 s`, clients: many, seconds: 10 },
  { name: 'next 10 s', clients: many, seconds: 10 },
  { name: '10 clients again, first 5 s', clients: 10, seconds: 5 },
  { name: 'next 5 s', clients: 10, seconds: 5 },
]

/** What became of the requests of one phase; durations in milliseconds. */
class Tally {
  readonly served: number[] = []
  readonly refused: number[] = []
  gaveUp = 0

  row({ name, seconds }: Phase): string {
    const { served, refused, gaveUp } = this
    const rates = [served.length, refused.length, gaveUp].map((count) => Math.round(count / seconds))
    const times = [percentile(served, 50), percentile(served, 99), percentile(refused, 99)]
    return `| ${[name, ...rates, ...times].join(' | ')} |`
  }
}

function percentile(times: readonly number[], of: number): string {
  const sorted = [...times].sort((a, b) => a - b)
  const found = sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * of) / 100))]
  return found === undefined ? '-' : found.toFixed(found < 10 ? 1 : 0)
}

/** Clients that ask one after the other; all of them are connected, and so many of them ask. */
class Crowd {
  tally = new Tally()
  #asking = 0
  #wanted = 0
  readonly #port: number
  readonly #idle: Socket[] = []

  constructor(url: string) {
    this.#port = Number(new URL(url).port)
  }

  /** Resolves when so many are connected. */
  async connect(clients: number): Promise<void> {
    for (let i = 0; i < clients; i++) this.#idle.push(await this.#open())
  }

  /** Those above the number stop when their request is over. */
  want(clients: number): void {
    this.#wanted = clients
    while (this.#asking < clients) {
      const socket = this.#idle.pop()
      if (socket === undefined) break
      this.#asking++
      this.#ask(socket)
    }
  }

  async #open(): Promise<Socket> {
    const socket = connect(this.#port, '127.0.0.1')
    socket.on('error', () => {})
    await once(socket, 'connect')
    return socket
  }

  #ask(socket: Socket): void {
    if (this.#asking > this.#wanted) {
      this.#asking--
      this.#idle.push(socket)
      return
    }
    const begun = performance.now()
    const timer = setTimeout(() => {
      this.tally.gaveUp++
      socket.destroy()
      this.#open().then(
        (next) => this.#ask(next),
        () => {},
      )
    }, patienceMs)
    socket.once('data', (answer) => {
      clearTimeout(timer)
      const served = answer.toString('latin1', 9, 12) === '200'
      const times = served ? this.tally.served : this.tally.refused
      times.push(performance.now() - begun)
      if (served) this.#ask(socket)
      else setTimeout(() => this.#ask(socket), refusedPauseMs)
    })
    socket.write('GET /burn HTTP/1.1\r\nHost: bench\r\n\r\n')
  }
}

async function measure(
  title: string,
  options: { readonly late: boolean; readonly sheds: boolean; readonly clients: number },
): Promise<void> {
  const { late, sheds, clients } = options
  await using gateway = await startBenchGateway(
    {
      pluginModules: [resolve(import.meta.dirname, 'burn.ts')],
      routes: [
        {
          id: 'burn',
          path: '/burn',
          auth: 'none',
          respond: { status: 200, body: 'ok' },
          plugins: [{ burn: { ms: costMs, late } }],
        },
      ],
    },
    sheds ? {} : { overload: { eventLoopDelay: '0s', heapPercent: 0 } },
  )
  const crowd = new Crowd(gateway.url)
  await crowd.connect(clients)
  const rows: string[] = []
  for (const phase of phases(clients)) {
    crowd.tally = new Tally()
    crowd.want(phase.clients)
    await new Promise((done) => setTimeout(done, phase.seconds * 1_000))
    rows.push(crowd.tally.row(phase))
  }
  crowd.want(0)
  const head = ['', 'served/s', 'refused/s', 'gave up/s', 'p50 served ms', 'p99 served ms', 'p99 refused ms']
  process.stdout.write(
    `\n${title}\n\n| ${head.join(' | ')} |\n${'|---'.repeat(head.length)}|\n${rows.join('\n')}\n`,
  )
}

const { values } = parseArgs({ options: { clients: { type: 'string', default: '1000' } } })
const clients = Number(values.clients)
for (const late of [false, true]) {
  for (const sheds of [false, true]) {
    const work = late ? 'worked on a turn of the event loop later' : 'worked on at once'
    await measure(`Requests are ${work}, ${sheds ? 'with' : 'without'} shedding`, { late, sheds, clients })
  }
}
process.exit()
