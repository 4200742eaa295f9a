import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import {
  Server as RpcServer,
  ServerCredentials,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { load } from '@grpc/proto-loader'
import type { Hooks, RequestHead } from '../../../src/core/exchange.ts'
import type { FrontEnd } from '../../../src/core/front-end.ts'
import { HttpExchange } from '../../../src/core/http-exchange.ts'
import { silentLog } from '../../../src/core/log.ts'
import type { Policy, Row } from '../../../src/core/route.ts'
import { createGrpcFrontEnd } from '../../../src/front-ends/grpc/front-end.ts'
import type { ServiceOptions } from '../../../src/front-ends/grpc/service-options.ts'
import { parseTemplate } from '../../../src/routing/template.ts'
import type { Upstream } from '../../../src/traffic/upstream.ts'
import { plainDestination, plainRetry, plainUpstream } from '../../traffic/plain-upstream.ts'

export const testProtos = fileURLToPath(new URL('./protos', import.meta.url))
export const googleProtos = fileURLToPath(
  new URL('../../../node_modules/google-proto-files', import.meta.url),
)
export const noHooks: Hooks = { onRequest: [], names: [], onCall: [], onTurn: [], onReply: [], onSettled: [] }

export const openPolicy: Policy = {
  id: 'test',
  auth: 'none',
  authorize: { roles: [], scopes: [] },
  plugins: [],
  forwardCredentials: false,
}

/** What one HTTP request got. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  readonly json: any
}

/** A front-end behind a bare HTTP server, until `close`. */
export interface House {
  readonly url: string
  readonly frontEnd: FrontEnd
  /** Every exchange that settled, oldest first. */
  readonly settled: HttpExchange[]
  ask(method: string, path: string, options?: AskOptions): Promise<Answer>
  close(): Promise<void>
}

export interface AskOptions {
  readonly headers?: Record<string, string>
  readonly body?: string | Buffer | object
}

/** A gRPC server of the given services on a free port. */
export async function startBackend(
  protoFile: string,
  services: Readonly<Record<string, UntypedServiceImplementation>>,
): Promise<{ readonly url: string; close(): void }> {
  const definitions = await load(protoFile, {
    includeDirs: [testProtos, googleProtos],
    keepCase: true,
    longs: String,
    defaults: true,
    oneofs: true,
    enums: String,
  })
  const server = new RpcServer()
  for (const [name, implementation] of Object.entries(services)) {
    server.addService(definitions[name] as ServiceDefinition, implementation)
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  return { url: `http://127.0.0.1:${port}`, close: () => server.forceShutdown() }
}

/** An upstream with one target for each URL. */
export function upstreamOf(urls: readonly string[], requestTimeoutMs = 5_000, maxAttempts = 2): Upstream {
  return plainUpstream('kitchen', urls, {
    connections: { connectTimeoutMs: 1_000, idleTimeoutMs: 1_000, maxConnections: 10 },
    requestTimeoutMs,
    bodyIdleTimeoutMs: 0,
    retry: plainRetry(maxAttempts),
  })
}

/** Default options of a service in tests. */
export function serviceOf(
  name: string,
  upstream: Upstream,
  more: Partial<ServiceOptions> = {},
): ServiceOptions {
  return {
    name,
    destination: plainDestination(upstream),
    policy: openPolicy,
    json: plainJson,
    unannotated: false,
    metadata: { request: ['grpc-metadata-*'], response: ['*'] },
    ...more,
  }
}

export const plainJson: ServiceOptions['json'] = {
  emitDefaults: false,
  protoNames: false,
  enumsAsNumbers: false,
  ignoreUnknown: false,
}

/** Serves the services of a proto by HTTP on a free port. */
export async function openHouse(
  protoFiles: readonly string[],
  services: readonly ServiceOptions[],
  { hooks = noHooks, messageBytes = 65_536 }: { readonly hooks?: Hooks; readonly messageBytes?: number } = {},
): Promise<House> {
  const frontEnd = await createGrpcFrontEnd({
    protoFiles,
    includeDirs: [testProtos, googleProtos],
    services,
    limits: { bodyBytes: 262_144, messageBytes },
    log: silentLog,
  })
  const settled: HttpExchange[] = []
  const ending = new WeakSet<Duplex>()
  const server: Server = createServer((req, res) => {
    const [target = '/', query = ''] = (req.url ?? '/').split(/\?(.*)/s)
    const segments = target.slice(1).split('/')
    const row = frontEnd.rows.find((one) => matches(one, req.method ?? '', segments))
    if (row === undefined) {
      res.writeHead(404).end('no row')
      return
    }
    const length = req.headers['content-length']
    const contentLength = length === undefined ? undefined : Number(length)
    const x = new HttpExchange(
      {
        req,
        res,
        request: headOf(req, target, query),
        segments,
        hasBody: (contentLength ?? 0) > 0 || req.headers['transfer-encoding'] !== undefined,
        contentLength,
        expectsContinue: false,
        ending,
        upgrade: undefined,
      },
      row,
      hooks,
    )
    x.afterSettled(() => settled.push(x))
    serve(x, res)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    frontEnd,
    settled,
    ask: (method, path, options) => ask(url, { method, path, ...options }),
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await frontEnd.close()
    },
  }
}

function serve(x: HttpExchange, _res: ServerResponse): void {
  try {
    const serving = x.row.serve(x)
    if (serving !== undefined) serving.catch((error: unknown) => x.fail(error))
  } catch (error) {
    x.fail(error)
  }
}

/** One request; resolves with the whole answer. */
function ask(
  url: string,
  { method, path, headers = {}, body }: AskOptions & { method: string; path: string },
): Promise<Answer> {
  const bytes =
    body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
  const typed =
    bytes === undefined || 'content-type' in headers
      ? headers
      : { 'content-type': 'application/json', ...headers }
  return new Promise((resolve, reject) => {
    const sent = request(url + path, { method, headers: typed }, (res) => {
      const chunks: Buffer[] = []
      res.on('data', (chunk: Buffer) => chunks.push(chunk))
      res.on('error', reject)
      res.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        const isJson = res.headers['content-type'] === 'application/json' && text !== ''
        resolve({
          status: res.statusCode ?? 0,
          headers: res.headers,
          text,
          json: isJson ? JSON.parse(text) : undefined,
        })
      })
    })
    sent.on('error', reject)
    sent.end(bytes)
  })
}

/** First match wins: enough for tests, which have no overlapping rows. */
function matches(row: Row, method: string, raw: readonly string[]): boolean {
  if (row.methods.length > 0 && !row.methods.includes(method === 'HEAD' ? 'GET' : method)) return false
  const { segments, verb } = parseTemplate(row.template)
  const path = [...raw]
  const last = path.pop() ?? ''
  if (verb !== '' && !last.endsWith(`:${verb}`)) return false
  path.push(verb === '' ? last : last.slice(0, -verb.length - 1))
  const open = segments.findIndex(({ kind }) => kind === 'doubleStar')
  const more = path.length - segments.length
  if (open === -1 ? more !== 0 : more < -1) return false
  return segments.every(
    (segment, i) =>
      segment.kind !== 'literal' || segment.text === path[open !== -1 && i > open ? i + more : i],
  )
}

function headOf(req: IncomingMessage, path: string, query: string): RequestHead {
  return {
    method: req.method ?? '',
    path,
    query,
    host: req.headers.host ?? '',
    scheme: 'http',
    headers: req.headers,
    peerAddress: '127.0.0.1',
    peerTrusted: false,
    clientAddress: '127.0.0.1',
    receivedAt: Date.now(),
    startedAt: performance.now(),
  }
}
