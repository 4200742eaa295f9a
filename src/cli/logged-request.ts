import type { LogEntry } from '../request-log/log-entry.ts'
import { harmless, paint, type Tone, tenths } from './terminal.ts'

/** `12:01:02.345  200  GET /v1/users/42  12 ms  users -> http://127.0.0.1:8001  4bf92f...` */
export function lineOf(entry: LogEntry): string {
  const { at, status, method, path, durationMs, route, error, calls, traceId } = entry
  const tone: Tone = status >= 500 ? 'bad' : status >= 400 ? 'warning' : 'good'
  const target = calls.at(-1)?.attempts.at(-1)?.target
  const attempts = calls.reduce((count, call) => count + call.attempts.length, 0)
  const parts = [
    paint('quiet', at.slice(11, 23)),
    paint(tone, String(status)),
    harmless(`${method} ${path}`),
    `${tenths(durationMs)} ms`,
    harmless(
      `${route}${target === undefined ? '' : ` -> ${target}`}${attempts > 1 ? ` (${attempts} attempts)` : ''}`,
    ),
    ...(error === undefined ? [] : [paint(tone, harmless(error.reason))]),
    paint('quiet', traceId),
  ]
  return parts.join('  ')
}

/** A request with who made it, and every call and attempt. */
export function detailsOf(entry: LogEntry): string {
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
        `  call ${call.method} of ${call.upstream} for ${call.place}, ${tenths(call.durationMs)} ms${sideOf(call)}${call.reason === undefined ? '' : `: ${call.reason}`}`,
      ),
    )
    for (const { target, status = '-', durationMs, failed, cause } of call.attempts) {
      const why = failed === undefined ? '' : `: ${failed}${cause === undefined ? '' : ` (${cause})`}`
      lines.push(harmless(`    attempt ${target}  ${status}  ${tenths(durationMs)} ms${why}`))
    }
  }
  return lines.join('\n')
}

/** What is not as with most calls. */
function sideOf({ shared, canary }: LogEntry['calls'][number]): string {
  return `${canary === true ? ', by the canary' : ''}${shared === true ? ', the answer of a call that was under way' : ''}`
}
