import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, type IncomingHttpHeaders } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ensureProgram } from '../test/services/programs.ts'
import type { Load, LoadReading } from './wrk.ts'

/** One unary call of gRPC over HTTP/2, as every contestant is asked it. */
export interface RpcQuestion {
  /** `/package.Service/Method` */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** The encoded request. */
  readonly message: Uint8Array
}

/** As many calls at a time as wrk makes, on connections that several of them share. */
const connections = 8
const streams = 8
const graceMs = 15_000

/** h2load (nghttp2.org) with one call. */
export async function prepareH2load(question: RpcQuestion): Promise<Load> {
  const program = await ensureProgram('h2load')
  const folder = await mkdtemp(join(tmpdir(), 'trivium-h2load-'))
  const body = join(folder, 'body')
  const log = join(folder, 'log')
  await writeFile(body, framed(question.message))
  const headers = Object.entries(headersOf(question)).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  return {
    async run(origin, seconds) {
      await rm(log, { force: true })
      const pace = ['-D', `${seconds}`, '-c', `${connections}`, '-m', `${streams}`]
      const args = [...pace, '-d', body, `--log-file=${log}`, ...headers, origin + question.path]
      const options = { timeout: seconds * 1_000 + graceMs, killSignal: 'SIGKILL' } as const
      await promisify(execFile)(program, args, options)
      return readingOf(await readFile(log, 'utf8'), seconds)
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

/** The bytes of the one answer. Rejects when its status is not OK, which h2load does not look at. */
export async function answerOf(origin: string, question: RpcQuestion): Promise<string> {
  const session = connect(origin)
  try {
    return await new Promise<string>((resolve, reject) => {
      const chunks: Buffer[] = []
      let trailers: IncomingHttpHeaders = {}
      const head = { ':method': 'POST', ':path': question.path, ...headersOf(question) }
      const stream = session.request(head).on('error', reject)
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('trailers', (received) => {
        trailers = received
      })
      stream.on('close', () => {
        if (trailers['grpc-status'] === '0') resolve(Buffer.concat(chunks).toString('hex'))
        else reject(new Error(`${origin} answered ${JSON.stringify(trailers)}`))
      })
      stream.end(framed(question.message))
    })
  } finally {
    session.destroy()
  }
}

function headersOf({ headers }: RpcQuestion): Record<string, string> {
  return { 'content-type': 'application/grpc', te: 'trailers', ...headers }
}

function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

/** A line of the log: when it began, its HTTP status, how long it took; in microseconds (h2load(1), `--log-file`). */
function readingOf(log: string, seconds: number): LoadReading {
  const micros: number[] = []
  for (const line of log.split('\n')) {
    if (line === '') continue
    const [, status, took] = line.split('\t')
    if (status !== '200') throw new Error(`h2load: an answer with HTTP status ${status}`)
    micros.push(Number(took))
  }
  if (micros.length === 0) throw new Error('h2load: no answer came')
  micros.sort((a, b) => a - b)
  const at = (share: number): number => (micros[Math.floor(micros.length * share)] as number) / 1_000
  return { requests: micros.length, seconds, p50Ms: at(0.5), p99Ms: at(0.99) }
}
