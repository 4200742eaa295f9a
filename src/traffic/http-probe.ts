import { type Dispatcher, request } from 'undici'
import { causeOf } from '../core/cause-of.ts'
import type { Probe } from './health-check.ts'

/** What is asked, and which answer is that of a healthy target. */
export interface HttpProbeOptions {
  readonly path: string
  readonly method: 'GET' | 'HEAD'
  /** `host` is what the target takes as its name; by default that of its URL. */
  readonly headers: Readonly<Record<string, string>>
  readonly statuses: readonly StatusRange[]
  /** What the first {@link maxBodyBytes} of the answer must contain; undefined: anything. */
  readonly body?: string | undefined
  /** For all of it, up to the last byte of the answer. */
  readonly timeoutMs: number
}

/** Statuses of HTTP, both ends included. */
export interface StatusRange {
  readonly from: number
  readonly to: number
}

/** What is read of an answer at the most. */
export const maxBodyBytes = 65_536

/**
 * Asks by HTTP, each time on a new connection: those of the endpoint may all be taken by calls, and one that is open already does not show
 * whether others could be opened. A redirect is an answer like any other: it is not followed.
 */
export function httpProbe(options: HttpProbeOptions): Probe {
  const { path, method, timeoutMs } = options
  const headers = { 'user-agent': 'trivium-health-check', ...options.headers }
  return {
    async probe(endpoint) {
      const dispatcher = endpoint.http.newClient()
      const signal = AbortSignal.timeout(timeoutMs)
      let status: number | undefined
      try {
        const reply = await request(`${endpoint.url}${path}`, { dispatcher, method, headers, signal })
        status = reply.statusCode
        const start = await startOf(reply.body)
        return wrongStatus(status, options.statuses) ?? wrongBody(status, start, options.body)
      } catch (error) {
        const late = signal.aborted
        if (status === undefined)
          return `probe failed: ${late ? `no answer within ${timeoutMs} ms` : causeOf(error)}`
        const end = late ? `did not end within ${timeoutMs} ms` : `broke off: ${causeOf(error)}`
        return `probe was answered ${status} with a body that ${end}`
      } finally {
        void dispatcher.destroy()
      }
    },
    close: () => {},
  }
}

/** The body, or so much of it as is looked at; of one that is longer the connection is closed. */
async function startOf(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes >= maxBodyBytes) break
  }
  return Buffer.concat(chunks).subarray(0, maxBodyBytes).toString('utf8')
}

function wrongStatus(status: number, ranges: readonly StatusRange[]): string | undefined {
  if (ranges.some(({ from, to }) => status >= from && status <= to)) return undefined
  const redirect = status >= 300 && status < 400 && status !== 304
  return `probe was answered ${status}${redirect ? ', a redirect, which is not followed' : ''}`
}

function wrongBody(status: number, start: string, wanted: string | undefined): string | undefined {
  if (wanted === undefined || start.includes(wanted)) return undefined
  return `probe was answered ${status} with a body that does not contain ${JSON.stringify(wanted)}`
}
