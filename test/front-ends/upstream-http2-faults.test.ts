import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  block,
  END_HEADERS,
  END_STREAM,
  frame,
  settings,
  startRaw,
  types,
  words,
} from './grpc/channel/raw-server.ts'
import { type Asked, openHttp2, startHttp2 } from './http2-backend.ts'

// What a backend of HTTP/2 may do wrong: the client gets a clear answer or one that is visibly cut, and the next request is well.

const errors: readonly { name: string; status: number; reason: RegExp; do(asked: Asked): void }[] = [
  {
    name: 'a stream reset with INTERNAL_ERROR',
    status: 502,
    reason: /^UPSTREAM_RESET$/,
    do: ({ stream }) => stream.close(2),
  },
  {
    name: 'a stream reset with REFUSED_STREAM, again and again',
    status: 502,
    reason: /^UPSTREAM_RESET$/,
    do: ({ stream }) => stream.close(7),
  },
  {
    name: 'a GOAWAY that says ENHANCE_YOUR_CALM',
    status: 502,
    reason: /^UPSTREAM_RESET$/,
    do: ({ session }) => session.destroy(undefined, 11),
  },
  {
    name: 'bytes that are no frames',
    status: 502,
    reason: /^UPSTREAM_/,
    do: ({ socket }) => void socket.end('HTTP/1.1 200 OK\r\n\r\n'.repeat(100)),
  },
  // RFC 9110 section 15.2.
  {
    name: 'interim answers without end',
    status: 502,
    reason: /^UPSTREAM_BAD_ANSWER$/,
    do: ({ stream }) => {
      const timer = setInterval(() => {
        if (stream.closed) clearInterval(timer)
        else stream.additionalHeaders({ ':status': 103, link: '</a>' })
      }, 1)
      stream.once('close', () => clearInterval(timer))
    },
  },
  {
    name: 'headers without end',
    status: 502,
    reason: /^UPSTREAM_/,
    do: ({ stream }) => {
      stream.respond({
        ':status': 200,
        ...Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`x-${i}`, 'y'.repeat(4_000)])),
      })
      stream.end()
    },
  },
  { name: 'nothing', status: 504, reason: /^UPSTREAM_TIMEOUT$/, do: () => {} },
]

for (const fault of errors) {
  test(`answers ${fault.status} to ${fault.name}, and the next request is well`, async (t) => {
    const backend = await startHttp2(t, (asked) => {
      if (asked.headers[':path'] === '/bad') fault.do(asked)
      else asked.stream.end('fine')
    })
    const gateway = await openHttp2(t, backend.url, { timeouts: { request: '1s' }, retry: { attempts: 1 } })
    const reply = await fetch(`${gateway.url}/bad`)
    const body = await reply.text()
    assert.equal(reply.status, fault.status, body)
    assert.match((JSON.parse(body) as { reason: string }).reason, fault.reason)
    const next = await fetch(`${gateway.url}/good`)
    assert.deepEqual([next.status, await next.text()], [200, 'fine'])
  })
}

const cuts: readonly { name: string; do(asked: Asked): void }[] = [
  {
    name: 'a connection that is reset in the middle',
    do: ({ stream, socket }) => {
      stream.respond({ ':status': 200 })
      stream.write('half')
      setTimeout(() => socket.resetAndDestroy(), 20)
    },
  },
  {
    name: 'a body that is shorter than its length says',
    do: ({ stream }) => {
      stream.respond({ ':status': 200, 'content-length': 100 })
      stream.end('half')
    },
  },
]

for (const cut of cuts) {
  test(`cuts the answer at ${cut.name}, and the next request is well`, async (t) => {
    const backend = await startHttp2(t, (asked) => {
      if (asked.headers[':path'] === '/bad') cut.do(asked)
      else asked.stream.end('fine')
    })
    const gateway = await openHttp2(t, backend.url)
    await assert.rejects(async () => (await fetch(`${gateway.url}/bad`)).text())
    const next = await fetch(`${gateway.url}/good`)
    assert.deepEqual([next.status, await next.text()], [200, 'fine'])
  })
}

// RFC 9113 section 8.1: without END_STREAM an answer is not whole. Section 7 has the codes.
for (const { name, whole, code, status } of [
  { name: 'INTERNAL_ERROR in the middle', whole: false, code: 2, status: 'cut' },
  { name: 'CANCEL in the middle', whole: false, code: 8, status: 'cut' },
  { name: 'NO_ERROR behind the end', whole: true, code: 0, status: 'whole' },
]) {
  test(`an answer with RST_STREAM and ${name} is ${status}`, async (t) => {
    const backend = await startRaw(async (peer) => {
      peer.write(settings())
      await peer.frame(types.headers, 1)
      peer.write(frame(types.headers, END_HEADERS, 1, block(':status', '200')))
      peer.write(frame(types.data, whole ? END_STREAM : 0, 1, Buffer.from('text')))
      if (whole) peer.write(frame(types.rstStream, 0, 1, words(code)))
      else setTimeout(() => peer.write(frame(types.rstStream, 0, 1, words(code))), 20)
    })
    t.after(() => backend.close())
    const gateway = await openHttp2(t, backend.url)
    const text = fetch(`${gateway.url}/x`).then((reply) => reply.text())
    if (whole) assert.equal(await text, 'text')
    else await assert.rejects(text)
  })
}
