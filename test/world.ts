import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import type { TestContext } from 'node:test'
import { createGateway, type Gateway } from '../src/gateway.ts'
import type { GatewayOptions } from '../src/gateway-options.ts'
import { createLog } from '../src/log.ts'

/** A test, or a file of tests, that ends what was started for it. */
export type Ending = { after(end: () => unknown): void }

/** A gateway on loopback, made for one test and ended with it. */
export interface TestGateway {
  readonly url: string
  readonly port: number
  readonly gateway: Gateway
  /** What it logged, as objects, oldest first. */
  readonly logs: Record<string, unknown>[]
  /** Resolves with the first log line that `matches`, also one that is already there. */
  logged(matches: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>
}

/** A backend on loopback, ended with its test. */
export interface TestBackend {
  readonly url: string
  readonly port: number
  readonly server: Server
  /** The heads of all requests it got. */
  readonly requests: IncomingMessage[]
}

/** Starts a gateway in this process, on a free port, with a log that can be read. `config` is in the words of gateway.yaml. */
export async function startGateway(
  t: TestContext,
  config: object,
  options: Partial<GatewayOptions> = {},
): Promise<TestGateway> {
  const logs: Record<string, unknown>[] = []
  const waiting: ((line: Record<string, unknown>) => void)[] = []
  const log = createLog('debug', {
    write(text: string) {
      const line = JSON.parse(text) as Record<string, unknown>
      logs.push(line)
      for (const tell of waiting) tell(line)
    },
  })
  const server = { listen: '127.0.0.1:0', shutdown: { drainDelay: '0s', gracePeriod: '2s' } }
  // What a test works on holds up the gateway in its process: that is no load.
  const overload = { eventLoopDelay: '0s', heapPercent: 0 }
  const given = config as { server?: object }
  const merged = { ...config, server: { ...server, overload, ...given.server } }
  const source = options.file === undefined ? { config: merged } : {}
  const gateway = await createGateway({ log, watch: false, ...source, ...options })
  const url = await gateway.listen(options.file === undefined ? undefined : '0')
  t.after(() => gateway.shutdown())
  return {
    url,
    port: Number(new URL(url).port),
    gateway,
    logs,
    logged: (matches) => {
      const there = logs.find(matches)
      if (there !== undefined) return Promise.resolve(there)
      return new Promise((resolve) => {
        waiting.push((line) => {
          if (matches(line)) resolve(line)
        })
      })
    },
  }
}

/** Starts an HTTP backend on a free port; without a handler it echoes method, url, headers and body as JSON. */
export async function startBackend(t: Ending, handler: RequestListener = echo): Promise<TestBackend> {
  const requests: IncomingMessage[] = []
  const server = createServer((req, res) => {
    requests.push(req)
    handler(req, res)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, port, server, requests }
}

/** Sends bytes on a raw connection and resolves with all that came back until it was closed (or for `quietMs`). */
export function rawExchange(port: number, bytes: string | Buffer, quietMs = 3_000): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let answer = ''
    socket.setTimeout(quietMs, () => socket.destroy())
    socket.on('connect', () => socket.write(bytes))
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1')
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error)
    })
    socket.on('close', () => resolve(answer))
  })
}

function echo(req: IncomingMessage, res: ServerResponse): void {
  const chunks: Buffer[] = []
  req.on('data', (chunk: Buffer) => chunks.push(chunk))
  req.on('end', () => {
    const body = Buffer.concat(chunks).toString('utf8')
    const answer = JSON.stringify({ method: req.method, url: req.url, headers: req.headers, body })
    res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(answer) })
    res.end(answer)
  })
}
