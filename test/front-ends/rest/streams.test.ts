import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { join, resolve } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { RawClient } from '../../listener/raw-client.ts'
import { freePort } from '../../services/free-port.ts'
import { ownFolder, startOwnProcess } from '../../services/own-process.ts'
import { startBackend, startGateway } from '../../world.ts'

test('passes each server-sent event at once', async (t) => {
  let send: (text: string) => void = () => {}
  const backend = await startBackend(t, (_req, res) => {
    res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' }).flushHeaders()
    send = (text) => void res.write(text)
  })
  const gateway = await startGateway(t, {
    upstreams: { backend: { targets: [{ url: backend.url }] } },
    routes: [{ id: 'events', path: '/events', upstream: 'backend', auth: 'none' }],
  })
  const client = await RawClient.connect(gateway.port)
  client.write('GET /events HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n')
  // The head comes before there is an event, and each event before the next one is sent.
  await client.until(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\n/s, 1_000)
  for (let i = 0; i < 5; i++) {
    send(`data: event ${i}\n\n`)
    await client.until(new RegExp(`data: event ${i}\n\n`), 1_000)
  }
  client.socket.destroy()
})

test('passes each piece of an upload at once, and answers while it goes on', async (t) => {
  const backend = await startBackend(t, (req, res) => void req.pipe(res))
  const gateway = await startGateway(t, {
    upstreams: { backend: { targets: [{ url: backend.url }] } },
    routes: [{ id: 'echo', path: '/echo', upstream: 'backend', auth: 'none' }],
  })
  const client = await RawClient.connect(gateway.port)
  client.write('POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n')
  for (const word of ['one', 'two', 'three']) {
    client.write(`${word.length}\r\n${word}\r\n`)
    await client.until(new RegExp(`${word}\r\n`), 1_000)
  }
  client.write('0\r\n\r\n')
  assert.match(await client.end(), /\r\n0\r\n\r\n$/)
})

const total = 1_073_741_824
/** Not measured: compiled code and the young generation of the heap find their size. */
const warmUp = 134_217_728
const piece = Buffer.alloc(262_144, 'trivium ')
/** After so much the receiving end reads nothing for a while. */
const stallAfter = 200_000_000
const stallMs = 1_500

test('takes at most 64 MiB more to pass 1 GiB down to a client that stalls', async (t) => {
  const backend = await startBackend(t, async (req, res) => {
    const bytes = Number(req.url?.slice(1))
    res.writeHead(200, { 'Content-Length': bytes })
    for (let sent = 0; sent < bytes; sent += piece.length) {
      if (!res.write(piece)) await once(res, 'drain')
    }
    res.end()
  })
  const gateway = await startGatewayProcess(t, backend.url)
  const download = async (bytes: number): Promise<void> => {
    const reply = await new Promise<IncomingMessage>((done, fail) => {
      httpRequest(`${gateway.url}/${bytes}`, done).on('error', fail).end()
    })
    assert.equal(await drainWithStall(reply), bytes)
  }
  await download(warmUp)
  await measure(t, gateway, () => download(total))
})

test('takes at most 64 MiB more to pass 1 GiB up to an upstream that stalls', async (t) => {
  let received = 0
  const backend = await startBackend(t, async (req, res) => {
    received = await drainWithStall(req)
    res.end('done')
  })
  const gateway = await startGatewayProcess(t, backend.url)
  const upload = async (bytes: number): Promise<void> => {
    const request = httpRequest(`${gateway.url}/x`, { method: 'POST', headers: { 'Content-Length': bytes } })
    const answered = once(request, 'response')
    for (let sent = 0; sent < bytes; sent += piece.length) {
      if (!request.write(piece)) await once(request, 'drain')
    }
    request.end()
    const [reply] = (await answered) as [IncomingMessage]
    assert.equal(reply.statusCode, 200)
    reply.resume()
    assert.equal(received, bytes)
  }
  await upload(warmUp)
  await measure(t, gateway, () => upload(total))
})

interface GatewayProcess {
  readonly url: string
  readonly pid: number
}

/** A gateway in a process of its own, so that its memory can be told from ours. */
async function startGatewayProcess(t: TestContext, upstreamUrl: string): Promise<GatewayProcess> {
  const folder = await ownFolder('gateway')
  const port = await freePort()
  const config = {
    server: { listen: `127.0.0.1:${port}`, limits: { bodyBytes: '2gb' } },
    plugins: ['requestId', 'accessLog', 'metrics'],
    upstreams: { backend: { targets: [{ url: upstreamUrl }] } },
    routes: [
      { id: 'all', path: '/**', upstream: 'backend', auth: 'none' },
      { id: 'warm', path: '/warm', upstream: 'backend', auth: 'none' },
    ],
  }
  // YAML is a superset of JSON.
  await writeFile(join(folder, 'gateway.yaml'), JSON.stringify(config))
  const main = resolve(import.meta.dirname, '../../../src/main.ts')
  const program = await startOwnProcess({
    program: process.execPath,
    args: [main, 'start', 'gateway.yaml'],
    folder,
    port,
  })
  t.after(() => program.kill())
  return { url: `http://127.0.0.1:${port}`, pid: program.pid }
}

/** Runs `transfer` of {@link total} bytes; fails when it takes more memory than it may, or too long. */
async function measure(
  t: TestContext,
  { pid }: GatewayProcess,
  transfer: () => Promise<void>,
): Promise<void> {
  const before = residentBytes(pid)
  let most = before
  const timer = setInterval(() => {
    most = Math.max(most, residentBytes(pid))
  }, 20)
  t.after(() => clearInterval(timer))
  const startedAt = performance.now()
  await transfer()
  const seconds = (performance.now() - startedAt - stallMs) / 1_000
  const growth = (most - before) / 1_048_576
  const perSecond = total / 1_048_576 / seconds
  t.diagnostic(`${growth.toFixed(1)} MiB more resident, ${perSecond.toFixed(0)} MiB/s`)
  assert.ok(growth <= 64, `${growth} MiB more resident`)
  assert.ok(perSecond > 40, `${perSecond} MiB/s`)
}

function residentBytes(pid: number): number {
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kilobytes) * 1_024
}

/** Reads to the end, with a pause on the way; resolves with the number of bytes. */
async function drainWithStall(stream: IncomingMessage): Promise<number> {
  let bytes = 0
  let stalled = false
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (stalled || bytes < stallAfter) return
    stalled = true
    stream.pause()
    void delay(stallMs).then(() => stream.resume())
  })
  await once(stream, 'end')
  return bytes
}
