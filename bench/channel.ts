import { fork } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { Server, ServerCredentials } from '@grpc/grpc-js'
import type { Channel, RpcReceiver, RpcRequest } from '../src/front-ends/grpc/channel.ts'
import { GrpcJsChannel } from '../src/front-ends/grpc/grpc-js-channel.ts'
import { FastChannel } from '../src/front-ends/grpc/http2/fast-channel.ts'
import { median } from './median.ts'

// What a unary call costs the process that makes it: `node bench/channel.ts`. The server is a child process; the clients take
// turns in this one, and CPU time is counted (user and system, all threads), so that a busy machine distorts little.

const path = '/bench.v1.Echo/Echo'
const message = Buffer.alloc(313, 'x')
const inFlight = 64
const callsPerRound = 6_400
const rounds = 9
const maxMessageBytes = 4_194_304
/** As many as the gateway adds to a call. */
const metadata = [
  ['x-forwarded-for', '203.0.113.7'],
  ['x-forwarded-proto', 'https'],
  ['x-forwarded-host', 'api.example.com'],
  ['x-forwarded-port', '443'],
  ['via', '1.1 trivium'],
].flat()

/** One unary call to the end; rejects unless it went well. */
type Call = () => Promise<void>

interface Contender {
  readonly name: string
  readonly call: Call
  close(): void
}

function overChannel(name: string, channel: Channel): Contender {
  const request: RpcRequest = { path, message, metadata, timeoutMs: 10_000, serverStreaming: false }
  const call: Call = () =>
    new Promise((resolve, reject) => {
      const receiver: RpcReceiver = {
        head() {},
        message() {},
        end: ({ code, message: why }) => (code === 0 ? resolve() : reject(new Error(`${name}: ${why}`))),
      }
      channel.start(request, receiver)
    })
  return { name, call, close: () => channel.close() }
}

/** The same by hand over one session of node:http2. */
function overNodeHttp2(url: string): Contender {
  const session = connect(url)
  const framed = Buffer.concat([Buffer.from([0]), Buffer.alloc(4), message])
  framed.writeUInt32BE(message.length, 1)
  const headers = Object.fromEntries(
    Array.from({ length: metadata.length / 2 }, (_, i) => [metadata[i * 2] ?? '', metadata[i * 2 + 1]]),
  )
  const call: Call = () =>
    new Promise((resolve, reject) => {
      const stream = session.request({
        ':method': 'POST',
        ':path': path,
        'content-type': 'application/grpc',
        te: 'trailers',
        'grpc-timeout': '10000m',
        ...headers,
      })
      stream.on('trailers', (trailers) => {
        if (trailers['grpc-status'] === '0') resolve()
        else reject(new Error(`node:http2: grpc-status ${trailers['grpc-status']}`))
      })
      stream.on('error', reject)
      stream.resume()
      stream.end(framed)
    })
  return { name: 'node:http2', call, close: () => session.close() }
}

async function measure({ call }: Contender): Promise<number> {
  const before = process.cpuUsage()
  let left = callsPerRound
  const worker = async (): Promise<void> => {
    while (left-- > 0) await call()
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
  const { user, system } = process.cpuUsage(before)
  return (user + system) / callsPerRound
}

async function contest(serverKind: string): Promise<void> {
  const child = fork(import.meta.filename, [serverKind])
  const [port] = (await once(child, 'message')) as [number]
  const url = `http://127.0.0.1:${port}`
  const contenders = [
    overChannel('grpc-js', new GrpcJsChannel(url, { maxMessageBytes })),
    overNodeHttp2(url),
    overChannel('own HTTP/2 client', new FastChannel(url, { maxMessageBytes })),
  ]
  const results = contenders.map((): number[] => [])
  for (let round = -1; round < rounds; round++) {
    for (const [i, contender] of contenders.entries()) {
      const micros = await measure(contender)
      if (round >= 0) results[i]?.push(micros)
    }
  }
  console.log(`\nserver: ${serverKind}, ${inFlight} in flight, ${message.length} bytes, CPU of the client`)
  for (const [i, { name, close }] of contenders.entries()) {
    const all = results[i] ?? []
    const [least, middle, most] = [Math.min(...all), median(all), Math.max(...all)].map((n) => n.toFixed(1))
    console.log(`${name.padEnd(20)} ${String(middle).padStart(7)} µs per call  (${least} to ${most})`)
    close()
  }
  child.kill()
  await once(child, 'exit')
}

async function serve(kind: string): Promise<void> {
  const port = kind === 'grpc-js' ? await serveGrpcJs() : await serveNodeHttp2()
  process.send?.(port)
}

async function serveGrpcJs(): Promise<number> {
  const server = new Server()
  const same = (bytes: Buffer): Buffer => bytes
  const echo = {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  }
  server.addService(
    { echo },
    {
      echo: (call: { readonly request: Buffer }, callback: (error: null, reply: Buffer) => void) =>
        callback(null, call.request),
    },
  )
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    )
  })
}

async function serveNodeHttp2(): Promise<number> {
  const server = createServer()
  server.on('stream', (stream: ServerHttp2Stream) => {
    const parts: Buffer[] = []
    stream.on('data', (part: Buffer) => parts.push(part))
    stream.on('end', () => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
      stream.end(Buffer.concat(parts))
    })
    stream.on('error', () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

const [role] = process.argv.slice(2)
if (role !== undefined) await serve(role)
else for (const kind of ['grpc-js', 'node:http2']) await contest(kind)
