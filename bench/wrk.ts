import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ensureProgram } from '../test/services/programs.ts'

/** What every contestant is asked, over and over. */
export interface Question {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** A header whose value is another one in each request. */
  readonly counted?: string
  readonly body?: string
  /** How many ask at a time. Default: 64. */
  readonly connections?: number
}

/** What a generator of load counted. */
export interface LoadReading {
  /** Complete answers. */
  readonly requests: number
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** A generator of load with one question. */
export interface Load extends AsyncDisposable {
  /** Asks `origin` for `seconds`. Rejects when an answer had a status of 400 or more, or a connection failed. */
  run(origin: string, seconds: number): Promise<LoadReading>
}

const usualConnections = 64
/** An answer that takes longer has failed. */
const timeoutSeconds = 10
const graceMs = 15_000

/** wrk (github.com/wg/wrk) with the script that it needs for headers, bodies and exact figures. */
export async function prepareWrk(question: Question): Promise<Load> {
  const program = await ensureProgram('wrk')
  const folder = await mkdtemp(join(tmpdir(), 'trivium-wrk-'))
  const script = join(folder, 'question.lua')
  await writeFile(script, luaScript(question))
  return {
    async run(origin, seconds) {
      const args = [
        '-t',
        '1',
        '-c',
        `${question.connections ?? usualConnections}`,
        '-d',
        `${seconds}s`,
        '--timeout',
        `${timeoutSeconds}s`,
        '-s',
        script,
      ]
      const options = { timeout: seconds * 1_000 + graceMs, killSignal: 'SIGKILL' } as const
      const { stdout } = await promisify(execFile)(program, [...args, origin + question.path], options)
      return readingOf(stdout.trimEnd().split('\n').at(-1) ?? '', `wrk on ${origin}${question.path}`)
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

function luaScript({ method, headers, counted, body }: Question): string {
  const lines = [`wrk.method = ${luaText(method)}`]
  for (const [name, value] of Object.entries(headers)) {
    lines.push(`wrk.headers[${luaText(name)}] = ${luaText(value)}`)
  }
  if (body !== undefined) lines.push(`wrk.body = ${luaText(body)}`)
  if (counted !== undefined)
    lines.push(
      'local n = 0',
      `request = function() n = n + 1; wrk.headers[${luaText(counted)}] = n; return wrk.format() end`,
    )
  return `${lines.join('\n')}
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('{"requests":%d,"micros":%d,"p50":%d,"p99":%d,"errors":[%d,%d,%d,%d,%d]}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect, e.read, e.write, e.status, e.timeout))
end
`
}

/** Lua knows no `\u`, so that everything but printable ASCII is written byte by byte (Lua 5.1 manual, section 2.1). */
function luaText(text: string): string {
  const bytes = [...Buffer.from(text)].map((byte) =>
    byte < 0x20 || byte > 0x7e || byte === 0x22 || byte === 0x5c
      ? `\\${String(byte).padStart(3, '0')}`
      : String.fromCharCode(byte),
  )
  return `"${bytes.join('')}"`
}

function readingOf(line: string, what: string): LoadReading {
  const { requests, micros, p50, p99, errors } = JSON.parse(line) as {
    requests: number
    micros: number
    p50: number
    p99: number
    errors: [number, number, number, number, number]
  }
  const [connect, read, write, status, timeout] = errors
  if (connect + read + write + status + timeout > 0) {
    throw new Error(
      `${what}: ${status} answers of status 400 or more; connections: ${connect} not made, ` +
        `${read} failed reading, ${write} failed writing, ${timeout} timed out`,
    )
  }
  if (requests === 0) throw new Error(`${what}: no answer came`)
  return { requests, seconds: micros / 1e6, p50Ms: p50 / 1_000, p99Ms: p99 / 1_000 }
}
