import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { closed, parseAnswers, RawClient, sendRaw } from '../../listener/raw-client.ts'
import { startBackend, startGateway, type TestGateway } from '../../world.ts'
import { type OnHead, refusedUrl, startRawUpstream } from './raw-upstream.ts'

/** For upstreams that do not answer. */
const impatient = { request: '300ms' }
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood'
const get = 'GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'

async function openGateway(
  t: TestContext,
  urls: readonly string[],
  upstream: object = {},
): Promise<TestGateway> {
  return startGateway(t, {
    plugins: ['accessLog'],
    server: { limits: { bodyBytes: '100mb' } },
    upstreams: {
      backend: {
        targets: urls.map((url) => ({ url })),
        timeouts: { connect: '2s', request: '5s', idle: '500ms' },
        ...upstream,
      },
    },
    routes: [{ id: 'open', path: '/**', upstream: 'backend', auth: 'none' }],
  })
}

/** An upstream that does something wrong on its first connection, and answers well on all others. */
function once0(fault: (socket: Socket) => void): OnHead {
  return (socket, _head, turn) => {
    if (turn === 0) {
      fault(socket)
    } else {
      socket.write(ok)
      socket.on('data', () => socket.write(ok))
    }
  }
}

/** Writes the pieces with time between them, so that they arrive apart. */
function inPieces(...pieces: readonly string[]): (socket: Socket) => void {
  return async (socket) => {
    for (const piece of pieces) {
      socket.write(Buffer.from(piece, 'latin1'))
      await delay(20)
    }
    socket.end()
  }
}

function bytes(text: string): (socket: Socket) => void {
  return (socket) => void socket.end(Buffer.from(text, 'latin1'))
}

/** Writes on and on, until the other side has had enough. */
function endlessly(start: string, piece: string): (socket: Socket) => void {
  return (socket) => {
    const block = piece.repeat(100)
    socket.write(start)
    const more = (): void => {
      if (!socket.destroyed && socket.write(block)) setImmediate(more)
    }
    socket.on('drain', more)
    more()
  }
}

const head = 'HTTP/1.1 200 OK\r\n'

/** Faults before the head of the answer is whole: the client gets a problem. */
const refusals: readonly (readonly [
  name: string,
  fault: (socket: Socket) => void,
  status: number,
  reason: string,
])[] = [
  ['a reset before the head', (socket) => void socket.resetAndDestroy(), 502, 'UPSTREAM_RESET'],
  ['an end before the head', (socket) => void socket.end(), 502, 'UPSTREAM_RESET'],
  ['an end inside the head', bytes(`${head}Content-Le`), 502, 'UPSTREAM_RESET'],
  ['HTTP/0.9', bytes('hello world\n'), 502, 'UPSTREAM_BAD_ANSWER'],
  ['bytes of another protocol', bytes('\x16\x03\x01\x00\x05hello'), 502, 'UPSTREAM_BAD_ANSWER'],
  ['a status of two digits', bytes('HTTP/1.1 99 x\r\n\r\n'), 502, 'UPSTREAM_BAD_ANSWER'],
  ['a status of four digits', bytes('HTTP/1.1 2000 OK\r\n\r\n'), 502, 'UPSTREAM_BAD_ANSWER'],
  [
    'two Content-Lengths (RFC 9112 section 6.3)',
    bytes(`${head}Content-Length: 4\r\nContent-Length: 5\r\n\r\nevil!`),
    502,
    'UPSTREAM_BAD_ANSWER',
  ],
  [
    'the same Content-Length twice',
    bytes(`${head}Content-Length: 4\r\nContent-Length: 4\r\n\r\nevil`),
    502,
    'UPSTREAM_BAD_ANSWER',
  ],
  [
    'Content-Length beside Transfer-Encoding',
    bytes(`${head}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n\r\n`),
    502,
    'UPSTREAM_BAD_ANSWER',
  ],
  ['Content-Length: +4', bytes(`${head}Content-Length: +4\r\n\r\nevil`), 502, 'UPSTREAM_BAD_ANSWER'],
  ['Content-Length: 4,4', bytes(`${head}Content-Length: 4,4\r\n\r\nevil`), 502, 'UPSTREAM_BAD_ANSWER'],
  [
    'a Content-Length that no number holds',
    bytes(`${head}Content-Length: 99999999999999999999\r\n\r\nevil`),
    502,
    'UPSTREAM_BAD_ANSWER',
  ],
  [
    'Transfer-Encoding: gzip (RFC 9112 section 6.1)',
    bytes(`${head}Transfer-Encoding: gzip\r\n\r\nevil`),
    502,
    'UPSTREAM_BAD_ANSWER',
  ],
  [
    'Transfer-Encoding: gzip, chunked',
    bytes(`${head}Transfer-Encoding: gzip, chunked\r\n\r\n4\r\nevil\r\n0\r\n\r\n`),
    502,
    'UPSTREAM_BAD_ANSWER',
  ],
  [
    'Transfer-Encoding: xchunked',
    bytes(`${head}Transfer-Encoding: xchunked\r\n\r\nevil`),
    502,
    'UPSTREAM_BAD_ANSWER',
  ],
  [
    'a bare CR in a header (RFC 9112 section 2.2)',
    bytes(`${head}X-A: 1\rSet-Cookie: evil=1\r\nContent-Length: 0\r\n\r\n`),
    502,
    'UPSTREAM_BAD_ANSWER',
  ],
  [
    'NUL in a header (RFC 9110 section 5.5)',
    bytes(`${head}X-A: 1\x002\r\nContent-Length: 0\r\n\r\n`),
    502,
    'UPSTREAM_BAD_ANSWER',
  ],
  [
    'a control character in a header',
    bytes(`${head}X-A: 1\x012\r\nContent-Length: 0\r\n\r\n`),
    502,
    'UPSTREAM_BAD_ANSWER',
  ],
  [
    'a folded header (RFC 9112 section 5.2)',
    bytes(`${head}X-A: 1\r\n Set-Cookie: evil=1\r\nContent-Length: 0\r\n\r\n`),
    502,
    'UPSTREAM_BAD_ANSWER',
  ],
  ['a name with a space', bytes(`${head}X A: 1\r\nContent-Length: 0\r\n\r\n`), 502, 'UPSTREAM_BAD_ANSWER'],
  [
    'a space before the colon',
    bytes(`${head}X-A : 1\r\nContent-Length: 0\r\n\r\n`),
    502,
    'UPSTREAM_BAD_ANSWER',
  ],
  ['an empty name', bytes(`${head}: 1\r\nContent-Length: 0\r\n\r\n`), 502, 'UPSTREAM_BAD_ANSWER'],
  [
    'a header of 200 KiB',
    bytes(`${head}X-A: ${'a'.repeat(200_000)}\r\nContent-Length: 0\r\n\r\n`),
    502,
    'UPSTREAM_BAD_ANSWER',
  ],
  [
    '5,000 headers',
    bytes(`${head}${'X-A: 12345\r\n'.repeat(5_000)}Content-Length: 0\r\n\r\n`),
    502,
    'UPSTREAM_BAD_ANSWER',
  ],
  ['headers without end', endlessly(head, `X-A: ${'a'.repeat(100)}\r\n`), 502, 'UPSTREAM_BAD_ANSWER'],
  [
    '50 interim answers',
    bytes('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(50) + ok),
    502,
    'UPSTREAM_BAD_ANSWER',
  ],
  [
    'interim answers without end (RFC 9110 section 15.2)',
    endlessly('', 'HTTP/1.1 102 Processing\r\n\r\n'),
    502,
    'UPSTREAM_BAD_ANSWER',
  ],
  [
    'a 101 that nobody asked for',
    bytes('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'),
    502,
    'UPSTREAM_BAD_ANSWER',
  ],
  ['no answer', () => {}, 504, 'UPSTREAM_TIMEOUT'],
  ['half a head', (socket) => void socket.write(`${head}Content-Le`), 504, 'UPSTREAM_TIMEOUT'],
  [
    'an interim answer and nothing more',
    (socket) => void socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'),
    504,
    'UPSTREAM_TIMEOUT',
  ],
  [
    'a head that trickles',
    (socket) => {
      socket.write(head)
      const timer = setInterval(() => socket.write('X-A: 1\r\n'), 50)
      socket.on('close', () => clearInterval(timer))
    },
    504,
    'UPSTREAM_TIMEOUT',
  ],
]

for (const [name, fault, status, reason] of refusals) {
  test(`answers ${status} ${reason} to ${name}, and the next request is well`, async (t) => {
    const upstream = await startRawUpstream(t, once0(fault))
    const timeouts = status === 504 ? impatient : {}
    const gateway = await openGateway(t, [upstream.url], { retry: { attempts: 1 }, timeouts })
    const text = await sendRaw(gateway.port, get)
    const [answer, ...more] = parseAnswers(text)
    assert.equal(answer?.status, status, text.slice(0, 600))
    assert.equal(more.length, 0)
    assert.equal((JSON.parse(answer.body) as { reason: string }).reason, reason)
    assert.doesNotMatch(text, /evil/)
    await isWell(gateway)
  })
}

/** Faults after the head: too late for a problem, so that the message must not look whole. */
const aborts: readonly (readonly [name: string, fault: (socket: Socket) => void])[] = [
  ['an end inside a counted body', inPieces(`${head}Content-Length: 100\r\n\r\n`, 'half')],
  ['an end inside a counted body, all in one piece', bytes(`${head}Content-Length: 100\r\n\r\nhalf`)],
  [
    'a reset inside a counted body',
    async (socket) => {
      socket.write(`${head}Content-Length: 100\r\n\r\nhalf`)
      await delay(30)
      socket.resetAndDestroy()
    },
  ],
  ['an end inside a chunk', inPieces(`${head}Transfer-Encoding: chunked\r\n\r\n64\r\n`, 'half')],
  ['an end between chunks', inPieces(`${head}Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n`)],
  [
    'an end before the last line break',
    inPieces(`${head}Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n`),
  ],
  [
    'a chunk size that is no number',
    inPieces(`${head}Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n`, 'xyz\r\nevil\r\n0\r\n\r\n'),
  ],
  [
    'the same, all in one piece',
    bytes(`${head}Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nxyz\r\nevil\r\n0\r\n\r\n`),
  ],
  [
    'a chunk longer than its size',
    inPieces(`${head}Transfer-Encoding: chunked\r\n\r\n4\r\nhalf`, 'evil\r\n0\r\n\r\n'),
  ],
  [
    'a chunk size that no number holds',
    bytes(`${head}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff1\r\nhalf`),
  ],
  ['a body that stops', (socket) => void socket.write(`${head}Content-Length: 100\r\n\r\nhalf`)],
  [
    'a chunked body that stops',
    (socket) => void socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n`),
  ],
]

for (const [name, fault] of aborts) {
  test(`cuts the message at ${name}, and the next request is well`, async (t) => {
    const upstream = await startRawUpstream(t, once0(fault))
    const gateway = await openGateway(t, [upstream.url])
    const text = await sendRaw(gateway.port, get)
    assert.doesNotMatch(text, /evil/)
    assert.doesNotMatch(text, /\r\n0\r\n/, 'no last chunk')
    const [answer] = parseAnswers(text)
    // A client sees either a message that is not whole or a problem, never a whole message.
    if (answer?.status === 200) assert.ok(!/content-length: 4\r\n/i.test(text) && answer.body.length < 100)
    else assert.equal(answer?.status ?? 502, 502)
    const line = await gateway.logged((entry) => entry['gateway.error.reason'] !== undefined)
    assert.match(String(line['gateway.error.reason']), /^UPSTREAM_/)
    await isWell(gateway)
  })
}

test('tells a client of HTTP/1.0 by a reset that the message is not whole', async (t) => {
  const upstream = await startRawUpstream(
    t,
    once0(inPieces(`${head}Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n`)),
  )
  const gateway = await openGateway(t, [upstream.url])
  const client = await RawClient.connect(gateway.port)
  const error = new Promise<NodeJS.ErrnoException>((resolve) => client.socket.once('error', resolve))
  client.write('GET /x HTTP/1.0\r\n\r\n')
  assert.equal((await error).code, 'ECONNRESET')
})

/** Answers that are whole and yet leave something on the connection: the next request must not get it. */
const leftovers: readonly (readonly [name: string, request: string, answer: string])[] = [
  ['a second answer', get, `${head}Content-Length: 4\r\n\r\ngood${head}Content-Length: 4\r\n\r\nevil`],
  ['a body longer than its Content-Length', get, `${head}Content-Length: 4\r\n\r\ngood evil`],
  ['a 204 with a body', get, 'HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nevil'],
  ['a 304 with a body', get, 'HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nevil'],
  ['a body in an answer to HEAD', get.replace('GET', 'HEAD'), `${head}Content-Length: 4\r\n\r\nevil`],
  [
    'a second answer some time later',
    get,
    `${head}Content-Length: 4\r\n\r\ngood\0${head}Content-Length: 4\r\n\r\nevil`,
  ],
]

for (const [name, request, answer] of leftovers) {
  test(`gives nobody what is left after ${name}`, async (t) => {
    const [first = '', later] = answer.split('\0')
    const upstream = await startRawUpstream(
      t,
      once0((socket) => {
        socket.write(first)
        if (later !== undefined) setTimeout(() => socket.write(later), 50)
      }),
    )
    const gateway = await openGateway(t, [upstream.url])
    const texts = [await sendRaw(gateway.port, request)]
    if (later !== undefined) await delay(100)
    for (let i = 0; i < 3; i++) texts.push(await isWell(gateway))
    for (const text of texts) assert.doesNotMatch(text, /evil/)
  })
}

test('does not wait longer for an upstream that sends interim answers now and then', async (t) => {
  const upstream = await startRawUpstream(t, (socket) => {
    const timer = setInterval(() => socket.write('HTTP/1.1 102 Processing\r\n\r\n'), 200)
    socket.on('close', () => clearInterval(timer))
  })
  const gateway = await openGateway(t, [upstream.url], { retry: { attempts: 1 }, timeouts: impatient })
  const [answer] = parseAnswers(await sendRaw(gateway.port, get, 3_000))
  assert.equal(answer?.status, 504)
})

test('lets a few interim answers pass unseen (RFC 9110 section 15.2)', async (t) => {
  const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n'
  const upstream = await startRawUpstream(t, (socket) => socket.write(hints.repeat(3) + ok))
  const gateway = await openGateway(t, [upstream.url])
  const answers = parseAnswers(await sendRaw(gateway.port, get))
  assert.deepEqual(
    answers.map(({ status, body }) => [status, body]),
    [[200, 'good']],
  )
})

test('answers 502 UPSTREAM_REFUSED when nothing listens', async (t) => {
  const gateway = await openGateway(t, [await refusedUrl()])
  const reply = await fetch(`${gateway.url}/x`, { method: 'POST', body: 'hello' })
  assert.equal(reply.status, 502)
  assert.equal(reply.headers.get('proxy-status'), 'trivium; error=connection_refused')
  assert.equal(((await reply.json()) as { reason: string }).reason, 'UPSTREAM_REFUSED')
})

test('answers in time when all connections to the upstream are taken', async (t) => {
  const upstream = await startRawUpstream(t, () => {})
  const gateway = await openGateway(t, [upstream.url], {
    connections: { max: 1 },
    retry: { attempts: 1 },
    timeouts: impatient,
  })
  const startedAt = performance.now()
  const replies = await Promise.all([1, 2, 3, 4].map(() => fetch(`${gateway.url}/x`)))
  assert.deepEqual(
    replies.map((reply) => reply.status),
    [504, 504, 504, 504],
  )
  assert.ok(performance.now() - startedAt < 3_000)
})

for (const [fault, start] of [
  ['refuses', async () => ({ url: await refusedUrl() })],
  ['resets', async (t: TestContext) => startRawUpstream(t, (socket) => void socket.resetAndDestroy())],
  ['closes', async (t: TestContext) => startRawUpstream(t, (socket) => void socket.end())],
  [
    'speaks nonsense',
    async (t: TestContext) => startRawUpstream(t, (socket) => void socket.end('nonsense\r\n\r\n')),
  ],
] as const) {
  test(`asks another target when one ${fault} a GET`, async (t) => {
    const good = await startBackend(t)
    const bad = await start(t)
    const gateway = await openGateway(t, [bad.url, good.url])
    for (let i = 0; i < 6; i++) assert.equal((await fetch(`${gateway.url}/${i}`)).status, 200)
    assert.equal(good.requests.length, 6)
  })
}

for (const [name, init] of [
  ['a counted body', { body: 'hello' }],
  ['a chunked body', { body: streamOf('hel', 'lo'), duplex: 'half' }],
  ['no body', {}],
] as const) {
  test(`sends a refused POST elsewhere, whole and once (${name})`, async (t) => {
    const good = await startBackend(t)
    const gateway = await openGateway(t, [await refusedUrl(), good.url])
    const reply = await fetch(`${gateway.url}/first`, { method: 'POST', ...init } as RequestInit)
    assert.equal(reply.status, 200)
    assert.equal(((await reply.json()) as { body: string }).body, 'body' in init ? 'hello' : '')
    assert.equal(good.requests.length, 1)
    const line = await gateway.logged((entry) => entry['gateway.route'] === 'open')
    assert.equal(line['gateway.attempts'], 2)
  })
}

for (const [name, fault] of [
  ['resets', (socket: Socket) => void socket.resetAndDestroy()],
  ['closes', (socket: Socket) => void socket.end()],
  ['does not answer', () => {}],
  ['speaks nonsense', (socket: Socket) => void socket.end('nonsense\r\n\r\n')],
  ['answers 503', (socket: Socket) => void socket.end('HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n')],
] as const) {
  test(`never sends a POST twice when its target ${name}`, async (t) => {
    const one = await startRawUpstream(t, fault)
    const two = await startRawUpstream(t, fault)
    const gateway = await openGateway(t, [one.url, two.url], { timeouts: impatient })
    for (const body of [
      'Content-Length: 5\r\n\r\nhello',
      'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
      'Content-Length: 0\r\n\r\n',
    ]) {
      const before = one.received.length + two.received.length
      const [answer] = parseAnswers(
        await sendRaw(gateway.port, `POST /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${body}`),
      )
      assert.match(String(answer?.status), /^50[234]$/)
      assert.equal(one.received.length + two.received.length, before + 1)
    }
  })
}

test('sends a body twice where the method may be repeated (RFC 9110 section 9.2.2), and no body of a POST', async (t) => {
  const bad = await startRawUpstream(t, (socket) => void setTimeout(() => socket.resetAndDestroy(), 50))
  const good = await startBackend(t, (req, res) => void req.pipe(res))
  const gateway = await openGateway(t, [bad.url, good.url])
  assert.equal(await (await fetch(`${gateway.url}/x`, { method: 'PUT', body: 'hello' })).text(), 'hello')
  // The good one is next in turn.
  assert.equal((await fetch(`${gateway.url}/x`)).status, 200)
  const before = good.requests.length
  const replies = [await post(gateway.url), await post(gateway.url)]
  assert.deepEqual(replies.toSorted(), [200, 502])
  assert.equal(good.requests.length, before + 1)
})

async function post(url: string): Promise<number> {
  return (await fetch(`${url}/x`, { method: 'POST', body: 'hello' })).status
}

test('retries a GET, and no POST, whose kept connection the upstream closed under it', async (t) => {
  // Each connection answers one request and drops the next one.
  const upstream = await startRawUpstream(t, (socket) => {
    socket.write(ok)
    socket.on('data', () => socket.resetAndDestroy())
  })
  const gateway = await openGateway(t, [upstream.url])
  assert.equal((await fetch(`${gateway.url}/x`)).status, 200)
  assert.equal((await fetch(`${gateway.url}/x`)).status, 200)
  assert.equal(upstream.received.length, 2)
  const reply = await fetch(`${gateway.url}/x`, { method: 'POST', body: 'hello' })
  assert.equal(reply.status, 502)
  assert.equal(upstream.received.join('').match(/POST/g)?.length, 1)
})

const goneWithinMs = 2_000

for (const [name, request, answer] of [
  ['waits for the head', get, ''],
  ['reads the answer', get, `${head}Content-Length: 100\r\n\r\nhalf`],
  ['sends its body', 'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf', ''],
  [
    'sends its body, chunked',
    'POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n',
    '',
  ],
  [
    'reads an answer that came before its body was sent',
    'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf',
    `${head}Content-Length: 100\r\n\r\nhalf`,
  ],
] as const) {
  test(`lets the upstream go within 2 s when the client leaves while it ${name}`, async (t) => {
    const arrived = Promise.withResolvers<Socket>()
    const upstream = await startRawUpstream(t, (socket) => {
      socket.write(answer)
      arrived.resolve(socket)
    })
    const gateway = await openGateway(t, [upstream.url], { timeouts: { request: '30s', idle: '30s' } })
    const client = await RawClient.connect(gateway.port)
    client.write(request)
    const socket = await arrived.promise
    if (answer !== '') await client.until(/half/)
    const gone = Promise.race([closed(socket).then(() => true), delay(goneWithinMs, false, { ref: false })])
    client.socket.destroy()
    assert.equal(await gone, true)
    const line = await gateway.logged((entry) => entry['gateway.route'] === 'open')
    assert.equal(line['gateway.error.reason'], 'CLIENT_GONE')
    assert.equal(upstream.received.length, 1)
  })
}

const megabyte = Buffer.alloc(1_048_576, 'a')

const early = 'HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\nnever'

for (const [name, finish] of [
  ['and stays open', () => {}],
  ['and closes', (socket: Socket) => void socket.end()],
] as const) {
  test(`passes an answer that came before the body was sent (the upstream reads no more ${name})`, async (t) => {
    const upstream = await startRawUpstream(t, (socket, _head, turn) => {
      socket.pause()
      socket.write(turn === 0 ? early : ok)
      finish(socket)
    })
    const gateway = await openGateway(t, [upstream.url])
    const client = await RawClient.connect(gateway.port)
    client.write(`POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: ${20 * megabyte.length}\r\n\r\n`)
    await client.uploadBlindly(megabyte, 20)
    const [answer] = parseAnswers(await client.until(/never/))
    assert.equal(answer?.status, 403)
    await isWell(gateway)
  })
}

test('answers 502 when the upstream resets an upload', async (t) => {
  const upstream = await startRawUpstream(
    t,
    once0((socket) => {
      socket.on('data', () => socket.resetAndDestroy())
    }),
  )
  const gateway = await openGateway(t, [upstream.url])
  const client = await RawClient.connect(gateway.port)
  client.write(`POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: ${50 * megabyte.length}\r\n\r\n`)
  await client.upload(megabyte, 50)
  const [answer] = parseAnswers(await client.end())
  assert.equal(answer?.status, 502)
  assert.equal((JSON.parse(answer.body) as { reason: string }).reason, 'UPSTREAM_RESET')
  await isWell(gateway)
})

test('serves others while 50 faults of all kinds are under way', async (t) => {
  const faults = [...refusals.map(([, fault]) => fault), ...aborts.map(([, fault]) => fault)]
  const bad = await startRawUpstream(t, (socket, _head, turn) => faults[turn % faults.length]?.(socket))
  const good = await startBackend(t)
  const gateway = await startGateway(t, {
    upstreams: {
      bad: {
        targets: [{ url: bad.url }],
        timeouts: { request: '300ms', idle: '300ms' },
        retry: { attempts: 1 },
      },
      good: { targets: [{ url: good.url }] },
    },
    routes: [
      { id: 'bad', path: '/bad', upstream: 'bad', auth: 'none' },
      { id: 'good', path: '/good', upstream: 'good', auth: 'none' },
    ],
  })
  const failing = Array.from({ length: 50 }, () => sendRaw(gateway.port, get.replace('/x', '/bad')))
  const serving = Array.from({ length: 50 }, async () => (await fetch(`${gateway.url}/good`)).status)
  assert.deepEqual(new Set(await Promise.all(serving)), new Set([200]))
  await Promise.all(failing)
})

/** The next request gets its own answer. */
async function isWell(gateway: TestGateway): Promise<string> {
  const text = await sendRaw(gateway.port, get)
  const [answer] = parseAnswers(text)
  assert.equal(answer?.status, 200, text)
  assert.equal(answer.body, 'good')
  return text
}

function streamOf(...pieces: readonly string[]): ReadableStream {
  return new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(Buffer.from(piece))
      controller.close()
    },
  })
}
