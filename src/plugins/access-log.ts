import { z } from 'zod'
import type { GatewayError } from '../core/error.ts'
import type { Exchange } from '../core/exchange.ts'
import type { Plugin } from '../core/plugin.ts'
import { definePlugin, type PluginDefinition } from '../pipeline/registry.ts'

const options = z.strictObject({
  sample: z
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe('Share of the exchanges below status 400 that is logged, 0 to 1. The rest is logged always.'),
})

/**
 * One line per settled exchange, in flat OpenTelemetry names (docs/conventions.md, "Log line"). Timestamp and severity are
 * the logger's own. Sampling goes by the trace id, so that all gateways keep the same traces.
 */
export const accessLog: PluginDefinition = definePlugin({
  name: 'accessLog',
  options,
  create: ({ sample }, { log, configVersion }): Plugin => ({
    onSettled(x: Exchange): void {
      if (x.status >= 500) log.error(failureFields(x, configVersion), message)
      else if (x.status >= 400) log.warn(failureFields(x, configVersion), message)
      else if (x.error !== undefined) log.info(failureFields(x, configVersion), message)
      else if (sample === 1 || isSampled(x.trace.traceId, sample)) log.info(fields(x, configVersion), message)
    },
  }),
})

const message = 'exchange settled'
const maxUserAgent = 256
const maxPath = 2_048
const maxText = 256
const maxCause = 1_024
const maxStack = 8_192

type Fields = Record<string, string | number | undefined>

function fields(x: Exchange, configVersion: number): Fields {
  const { request, route, calls, principal, trace } = x
  const line: Fields = {
    trace_id: trace.traceId,
    span_id: trace.spanId,
    request_id: x.id,
    'http.request.method': cut(request.method, 32),
    'url.path': cut(request.path, maxPath),
    'http.route': route.template,
    'http.response.status_code': x.status,
    'http.request.body.size': x.requestBytes,
    'http.response.body.size': x.responseBytes,
    'client.address': request.clientAddress,
    'user_agent.original': cut(x.header('user-agent'), maxUserAgent),
    'user.id': principal?.id,
    'gateway.protocol': route.protocol,
    'gateway.route': route.id,
    'gateway.consumer': principal?.consumer,
    'gateway.config_version': configVersion,
  }
  if (calls.length > 0) addCalls(line, x)
  line['gateway.duration_ms'] = roundMs(performance.now() - request.startedAt)
  for (const name in x.attributes) {
    const value = x.attributes[name]
    line[name] = typeof value === 'string' ? cut(value, maxText) : value
  }
  return line
}

/** Names of all upstreams that were called, the last target, and attempts and time of all calls together. */
function addCalls(line: Fields, { calls }: Exchange): void {
  const [first] = calls
  let names = first?.upstreamName ?? ''
  let attempts = 0
  let durationMs = 0
  for (const call of calls) {
    attempts += call.attempts
    durationMs += call.durationMs
    if (call !== first && !names.split(',').includes(call.upstreamName)) names += `,${call.upstreamName}`
  }
  line['gateway.upstream'] = names
  line['gateway.target'] = calls.at(-1)?.target
  line['gateway.attempts'] = attempts
  line['gateway.upstream_duration_ms'] = roundMs(durationMs)
}

function failureFields(x: Exchange, configVersion: number): Fields {
  const line = fields(x, configVersion)
  const { error } = x
  if (error === undefined) return line
  line['gateway.error.code'] = error.entry.number
  line['gateway.error.reason'] = error.reason
  line['gateway.error.message'] = cut(error.message, maxCause)
  line['gateway.error.cause'] = cut(describeCause(error), maxCause)
  if (error.reason === 'INTERNAL' && error.cause instanceof Error) {
    line['gateway.error.stack'] = cut(stackFrames(error.cause), maxStack)
  }
  return line
}

/** The messages of an error's causes, outermost first. A SyntaxError by its name only: V8 quotes the text that it could not parse. */
function describeCause(error: GatewayError): string | undefined {
  const messages: string[] = []
  let cause = error.cause
  for (let depth = 0; cause !== undefined && depth < 4; depth++) {
    if (cause instanceof Error) messages.push(cause instanceof SyntaxError ? cause.name : cause.message)
    else messages.push(typeof cause === 'string' ? cause : typeof cause)
    cause = cause instanceof Error ? cause.cause : undefined
  }
  return messages.length === 0 ? undefined : messages.join(': ')
}

/** The frames without the message, which is in the cause already. */
function stackFrames({ stack }: Error): string | undefined {
  const start = stack?.indexOf('\n    at ') ?? -1
  return start === -1 ? undefined : stack?.slice(start + 1)
}

function isSampled(traceId: string, share: number): boolean {
  return Number.parseInt(traceId.slice(-8), 16) < share * 0x1_0000_0000
}

function roundMs(ms: number): number {
  return Math.round(ms * 1_000) / 1_000
}

function cut(text: string | undefined, length: number): string | undefined {
  return text !== undefined && text.length > length ? `${text.slice(0, length - 1)}…` : text
}
