import { harmless, paint, type Tone } from './terminal.ts'

/** A request as the admin API tells it. */
export interface Logged {
  readonly at: string
  readonly traceId: string
  readonly requestId: string
  readonly node: string
  readonly protocol: string
  readonly route: string
  readonly method: string
  readonly path: string
  readonly status: number
  readonly durationMs: number
  readonly clientAddress: string
  readonly user?: string
  readonly consumer?: string
  readonly configVersion: number
  readonly plugin?: string
  readonly error?: {
    readonly code: string
    readonly reason: string
    readonly message: string
    readonly cause?: string
  }
  readonly calls: readonly LoggedCall[]
}

interface LoggedCall {
  readonly place: string
  readonly upstream: string
  readonly method: string
  readonly durationMs: number
  readonly shared?: true
  readonly canary?: boolean
  readonly reason?: string
  readonly attempts: readonly LoggedAttempt[]
}

interface LoggedAttempt {
  readonly target: string
  readonly status?: number
  readonly durationMs: number
  readonly failed?: string
  readonly cause?: string
}

/** `12:01:02.345  200  GET /v1/users/42  12 ms  users -> http://127.0.0.1:8001  4bf92f...` */
export function lineOf(entry: Logged): string {
  const { at, status, method, path, durationMs, route, error, calls, traceId } = entry
  const tone: Tone = status >= 500 ? 'bad' : status >= 400 ? 'warning' : 'good'
  const target = calls.at(-1)?.attempts.at(-1)?.target
  const attempts = calls.reduce((count, call) => count + call.attempts.length, 0)
  const parts = [
    paint('quiet', at.slice(11, 23)),
    paint(tone, String(status)),
    harmless(`${method} ${path}`),
    `${round(durationMs)} ms`,
    harmless(
      `${route}${target === undefined ? '' : ` -> ${target}`}${attempts > 1 ? ` (${attempts} attempts)` : ''}`,
    ),
    ...(error === undefined ? [] : [paint(tone, harmless(error.reason))]),
    paint('quiet', traceId),
  ]
  return parts.join('  ')
}

/** A request with who made it, and every call and attempt. */
export function detailsOf(entry: Logged): string {
  const { user, consumer, clientAddress, node, configVersion, requestId, plugin, error } = entry
  const who = [user && `user ${user}`, consumer && `consumer ${consumer}`, clientAddress]
    .filter(Boolean)
    .join(', ')
  const lines = [
    lineOf(entry),
    `  ${harmless(who)}; on ${harmless(node)}, configuration ${configVersion}, request ${harmless(requestId)}`,
  ]
  if (error !== undefined)
    lines.push(
      `  ${paint('bad', `${error.code} ${error.reason}`)} ${harmless(error.message)}${error.cause === undefined ? '' : ` (${harmless(error.cause)})`}`,
    )
  if (plugin !== undefined) lines.push(`  answered by the plugin ${harmless(plugin)}`)
  for (const call of entry.calls) {
    lines.push(
      harmless(
        `  call ${call.method} of ${call.upstream} for ${call.place}, ${round(call.durationMs)} ms${sideOf(call)}${call.reason === undefined ? '' : `: ${call.reason}`}`,
      ),
    )
    for (const { target, status = '-', durationMs, failed, cause } of call.attempts) {
      const why = failed === undefined ? '' : `: ${failed}${cause === undefined ? '' : ` (${cause})`}`
      lines.push(harmless(`    attempt ${target}  ${status}  ${round(durationMs)} ms${why}`))
    }
  }
  return lines.join('\n')
}

/** What is not as with most calls. */
function sideOf({ shared, canary }: LoggedCall): string {
  return `${canary === true ? ', by the canary' : ''}${shared === true ? ', the answer of a call that was under way' : ''}`
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10
}
