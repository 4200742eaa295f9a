import { z } from 'zod'
import type { Exchange, ReplyHead, UpstreamCall } from '../core/exchange.ts'
import type { Plugin } from '../core/plugin.ts'
import { tellTrace } from '../core/trace-context.ts'
import { definePlugin, type PluginDefinition } from '../pipeline/registry.ts'
import { upstreamMs } from './timing.ts'

/** Names every exchange towards both sides (request id, trace context) and tells the client where its time went. */
export const requestId: PluginDefinition = definePlugin({
  name: 'requestId',
  options: z.strictObject({}),
  create: (): Plugin => ({ onCall, onReply }),
})

function onCall(x: Exchange, call: UpstreamCall): void {
  const { trace } = x
  call.headers.push('x-request-id', x.id, 'x-trace-id', trace.traceId)
  tellTrace(trace, call)
}

function onReply(x: Exchange, reply: ReplyHead): void {
  const totalMs = performance.now() - x.request.startedAt
  reply.headers.push(
    'X-Request-Id',
    x.id,
    'X-Trace-ID',
    x.trace.traceId,
    'X-Response-Time',
    `${totalMs.toFixed(2)}ms`,
    'Server-Timing',
    serverTiming(x, totalMs),
  )
}

/** W3C Server Timing section 3: metric names with their duration in milliseconds. */
function serverTiming(x: Exchange, totalMs: number): string {
  if (x.calls.length === 0) return `gateway;dur=${tenths(totalMs)}`
  const upstream = upstreamMs(x, totalMs)
  return `gateway;dur=${tenths(totalMs - upstream)}, upstream;dur=${tenths(upstream)}`
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10
}
