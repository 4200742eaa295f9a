import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import {
  answer,
  block,
  END_HEADERS,
  END_STREAM,
  frame,
  grpc,
  okHead,
  okTrailers,
  PADDED,
  type Peer,
  settings,
  startRaw,
  types,
} from '../front-ends/grpc/channel/raw-server.ts'
import { startRawUpstream } from '../front-ends/rest/raw-upstream.ts'
import { startGateway, type TestGateway } from '../world.ts'
import { type Door, doors } from './door.ts'

// Upstreams that answer badly: whichever door a request came by, it ends with a clear error, soon, the upstream is not read any further, and
// the next request is well. What is wrong in one protocol only stands in the tests of its front-end.

/** What a backend does on a connection instead of answering, in its protocol. */
interface Fault {
  readonly name: string
  http(socket: Socket): void
  http2(peer: Peer): void
  /** What the client is told; by protocol where they differ. `broken off`: the answer ends before its end. */
  readonly told: string | Readonly<Record<Door['protocol'], string>>
  /** Whether it may be read until the time limit, as a long answer would; nothing of it is kept. */
  readonly isStream?: boolean
}

const httpHead = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n'
const chunked = `${httpHead}Transfer-Encoding: chunked\r\n\r\n`
const grpcHead = frame(types.headers, END_HEADERS, 1, okHead)
const grpcEnd = frame(types.headers, END_HEADERS | END_STREAM, 1, okTrailers)
const thing = grpc('\n\x0242')

const faults: readonly Fault[] = [
  {
    name: 'interim answers without end (RFC 9110 section 15.2)',
    http: endless('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'),
    http2: (peer) => endless(frame(types.headers, END_HEADERS, 1, block(':status', '103')))(peer.socket),
    told: 'UPSTREAM_BAD_ANSWER',
  },
  {
    name: 'interim answers now and then, and never an answer',
    http: trickle('HTTP/1.1 102 Processing\r\n\r\n'),
    http2: (peer) => trickle(frame(types.headers, END_HEADERS, 1, block(':status', '102')))(peer.socket),
    told: 'UPSTREAM_TIMEOUT',
  },
  {
    name: 'headers without end',
    http: endless(`X-A: ${'a'.repeat(100)}\r\n`, httpHead),
    http2: ({ socket }) =>
      endless(
        frame(types.continuation, 0, 1, block('x-a', 'a'.repeat(100))),
        frame(types.headers, 0, 1, okHead),
      )(socket),
    told: 'UPSTREAM_BAD_ANSWER',
  },
  {
    name: 'trailers without end',
    http: endless(`X-A: ${'a'.repeat(100)}\r\n`, `${chunked}1\r\n{\r\n0\r\n`),
    http2: ({ socket }) =>
      endless(
        frame(types.continuation, 0, 1, block('x-a', 'a'.repeat(100))),
        Buffer.concat([
          grpcHead,
          frame(types.data, 0, 1, thing),
          frame(types.headers, END_STREAM, 1, okTrailers),
        ]),
      )(socket),
    told: { rest: 'broken off', graphql: 'UPSTREAM_BAD_ANSWER', grpc: 'UPSTREAM_BAD_ANSWER' },
  },
  {
    name: 'framing without content, without end',
    http: endless('a'.repeat(1_000), `${chunked}1\r\n{\r\n1;`),
    http2: ({ socket }) => endless(frame(types.data, PADDED, 1, Buffer.from([3, 0, 0, 0])), grpcHead)(socket),
    told: { rest: 'broken off', graphql: 'UPSTREAM_TIMEOUT', grpc: 'UPSTREAM_BAD_ANSWER' },
    isStream: true,
  },
  {
    name: 'less than was announced',
    http: (socket) => void socket.end(`${httpHead}Content-Length: 100\r\n\r\n{"data"`),
    http2: (peer) => peer.write(grpcHead, frame(types.data, 0, 1, thing.subarray(0, 7)), grpcEnd),
    told: { rest: 'broken off', graphql: 'UPSTREAM_RESET', grpc: 'UPSTREAM_BAD_ANSWER' },
  },
  {
    name: 'an answer that stops in the middle',
    http: (socket) => void socket.write(`${httpHead}Content-Length: 100\r\n\r\n{"data"`),
    http2: (peer) => peer.write(grpcHead, frame(types.data, 0, 1, thing.subarray(0, 7))),
    told: { rest: 'broken off', graphql: 'UPSTREAM_TIMEOUT', grpc: 'UPSTREAM_TIMEOUT' },
  },
  {
    name: 'nothing, and the end of the connection',
    http: (socket) => void socket.end(),
    http2: ({ socket }) => void socket.end(),
    told: 'UPSTREAM_RESET',
  },
  {
    name: 'nothing',
    http: () => {},
    http2: () => {},
    told: 'UPSTREAM_TIMEOUT',
  },
  {
    name: 'another protocol',
    http: (socket) => void socket.end('\x16\x03\x01\x00\x05hello'),
    http2: ({ socket }) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    told: 'UPSTREAM_BAD_ANSWER',
  },
]

/** What is on its way when the gateway has had enough; the buffers of the system are most of it. */
const mostBytes = 16 * 1_048_576
/** For whatever is to end after a second at the latest. */
const patienceMs = 20_000

for (const door of doors) {
  describe(`bad answers at the ${door.name} door`, () => {
    for (const fault of faults) {
      test(`${fault.name}`, async (t) => {
        const { ask, written, gateway } = await open(t, door, fault)
        const told = typeof fault.told === 'string' ? fault.told : fault.told[door.protocol]
        assert.equal(await ask(), told)
        if (fault.isStream !== true) assert.ok(written() < mostBytes, `${written()} bytes were taken`)
        // A gRPC connection that was never good is not made anew at once.
        while ((await ask()) !== 'well') assert.ok(!t.signal.aborted)
        const line = await gateway.logged((entry) => entry['gateway.error.reason'] !== undefined)
        assert.match(String(line['gateway.error.reason']), /^UPSTREAM_/)
      })
    }
  })
}

interface Opened {
  readonly gateway: TestGateway
  /** Asks once: `well`, the reason of the refusal, or `broken off`. */
  ask(): Promise<unknown>
  /** Bytes that the gateway has taken of the backend, or the system for it. */
  written(): number
}

/** A gateway before a backend that answers badly on its first connection, and well on all others. */
async function open(t: TestContext, door: Door, fault: Fault): Promise<Opened> {
  const pattern = await door.start(t)
  const sockets: Socket[] = []
  const url =
    door.protocol === 'grpc'
      ? await http2Backend(t, fault, sockets)
      : await httpBackend(t, door, fault, sockets)
  const gateway = await startGateway(t, {
    plugins: ['accessLog'],
    ...pattern.config({ auth: 'none' }),
    upstreams: {
      backend: {
        targets: [{ url }],
        timeouts: { request: '1s', idle: '500ms' },
        retry: { attempts: 1 },
      },
    },
  })
  const once = async (): Promise<unknown> => {
    try {
      const text = await (await pattern.ask(gateway.url)).text()
      return /"id":\s*"42"/.test(text) ? 'well' : pattern.reason(text)
    } catch (error) {
      assert.match(String(error), /terminated|broken off/)
      return 'broken off'
    }
  }
  const late = (): Promise<unknown> =>
    new Promise((resolve) => setTimeout(resolve, patienceMs, 'no end').unref())
  return {
    gateway,
    ask: () => Promise.race([once(), late()]),
    written: () => Math.max(...sockets.map(({ bytesWritten }) => bytesWritten)),
  }
}

async function httpBackend(t: TestContext, door: Door, fault: Fault, sockets: Socket[]): Promise<string> {
  const body = door.protocol === 'graphql' ? '{"data":{"me":{"id":"42"}}}' : '{"id":"42"}'
  const upstream = await startRawUpstream(t, (socket, _head, turn) => {
    sockets.push(socket)
    if (turn === 0) fault.http(socket)
    else socket.write(`${httpHead}Content-Length: ${body.length}\r\n\r\n${body}`)
  })
  return upstream.url
}

async function http2Backend(t: TestContext, fault: Fault, sockets: Socket[]): Promise<string> {
  const server = await startRaw(async (peer) => {
    const isFirst = sockets.push(peer.socket) === 1
    peer.write(settings())
    await peer.frame(types.headers, 1)
    if (isFirst) fault.http2(peer)
    else peer.write(answer(1, '\n\x0242'))
    await peer.frame(types.headers, 3)
    peer.write(answer(3, '\n\x0242'))
  })
  t.after(() => server.close())
  return server.url
}

/** Writes on and on, until the other side has had enough. */
function endless(piece: string | Buffer, start: string | Buffer = ''): (socket: Socket) => void {
  const block = Buffer.concat(Array.from({ length: 100 }, () => Buffer.from(piece)))
  return (socket) => {
    socket.write(start)
    const more = (): void => {
      if (!socket.destroyed && socket.write(block)) setImmediate(more)
    }
    socket.on('drain', more)
    more()
  }
}

/** Writes a piece from time to time. */
function trickle(piece: string | Buffer): (socket: Socket) => void {
  return (socket) => {
    const timer = setInterval(() => socket.write(piece), 100)
    socket.on('close', () => clearInterval(timer))
  }
}
