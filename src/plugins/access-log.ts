import { z } from 'zod'
import { causeChain } from '../core/cause-chain.ts'
import type { Exchange } from '../core/exchange.ts'
import type { Plugin } from '../core/plugin.ts'
import type { Route } from '../core/route.ts'
import { isSampled } from '../core/trace-context.ts'
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
 * One line per settled exchange, in flat OpenTelemetry names (docs/conventions.md, "Log line"). Sampling goes by the trace id, so
 * that all gateways keep the same traces. The line is put together by hand: through a logger's fields it costs four times as much.
 */
export const accessLog: PluginDefinition = definePlugin({
  name: 'accessLog',
  options,
  create: ({ sample }, host): Plugin => {
    const { log, configVersion } = host
    const suffix = `,"gateway.config_version":${configVersion},"message":"${message}"}`
    return {
      onSettled(x: Exchange): void {
        const level = x.status >= 500 ? 'error' : x.status >= 400 ? 'warn' : 'info'
        const failed = level !== 'info' || x.error !== undefined
        if (!failed && sample !== 1 && !isSampled(x.trace.traceId, sample)) return
        const json = `{"severity":"${level}","timestamp":"${isoTime(host.now())}"${fields(x)}${failed ? failure(x) : ''}${suffix}`
        if (log.line === undefined) log[level](withoutEnvelope(json), message)
        else log.line(level, json)
      },
    }
  },
})

const message = 'exchange settled'
const maxUserAgent = 256
const maxPath = 2_048
const maxText = 256
const maxCause = 1_024
const maxStack = 8_192

/** All fields of an exchange, each with a comma before it. */
function fields(x: Exchange): string {
  const { request, trace } = x
  let line = `,"trace_id":"${trace.traceId}","span_id":"${trace.spanId}","request_id":"${x.id}"`
  line += text('http.request.method', request.method, 32)
  line += text('url.path', request.path, maxPath)
  line += routeFields(x.route)
  line += `,"http.response.status_code":${x.status}`
  line += `,"http.request.body.size":${x.requestBytes},"http.response.body.size":${x.responseBytes}`
  line += text('client.address', request.clientAddress, maxText)
  line += text('user_agent.original', x.header('user-agent'), maxUserAgent)
  if (x.principal !== undefined) {
    line += text('user.id', x.principal.id, maxText) + text('gateway.consumer', x.principal.consumer, maxText)
  }
  if (x.calls.length > 0) line += callFields(x)
  line += `,"gateway.duration_ms":${roundMs(performance.now() - request.startedAt)}`
  for (const name in x.attributes) {
    const value = x.attributes[name]
    line += typeof value === 'number' ? `,${JSON.stringify(name)}:${value}` : text(name, value, maxText)
  }
  return line
}

/** For a logger that writes severity, timestamp and message itself. */
function withoutEnvelope(json: string): object {
  const { severity: _, timestamp: __, message: ___, ...rest } = JSON.parse(json) as Record<string, unknown>
  return rest
}

/** What is the same for every exchange of a route. */
function routeFields(route: Route): string {
  let known = madeFields.get(route)
  if (known === undefined) {
    known = text('http.route', route.template, maxPath)
    known += text('gateway.protocol', route.protocol, maxText) + text('gateway.route', route.id, maxText)
    madeFields.set(route, known)
  }
  return known
}

const madeFields = new WeakMap<Route, string>()

/** Names of all upstreams that were called, the last target, and attempts and time of all calls together. */
function callFields({ calls }: Exchange): string {
  const [first] = calls
  let names = first?.upstreamName ?? ''
  let last = names
  let attempts = 0
  let durationMs = 0
  let canary: boolean | undefined
  for (const call of calls) {
    attempts += call.attempts.length
    durationMs += call.durationMs
    if (call.canary !== undefined) canary = call.canary || canary === true
    if (call.upstreamName === last) continue
    last = call.upstreamName
    if (!names.split(',').includes(last)) names += `,${last}`
  }
  let where = text('gateway.upstream', names, maxPath) + text('gateway.target', calls.at(-1)?.target, maxText)
  if (canary !== undefined) where += `,"gateway.canary":${canary}`
  return `${where},"gateway.attempts":${attempts},"gateway.upstream_duration_ms":${roundMs(durationMs)}`
}

function failure({ error }: Exchange): string {
  if (error === undefined) return ''
  let line =
    text('gateway.error.code', error.entry.number, maxText) +
    text('gateway.error.reason', error.reason, maxText)
  line += text('gateway.error.message', error.message, maxCause)
  line += text('gateway.error.cause', causeChain(error), maxCause)
  if (error.reason === 'INTERNAL' && error.cause instanceof Error) {
    line += text('gateway.error.stack', stackFrames(error.cause), maxStack)
  }
  return line
}

/** The frames without the message, which is in the cause already. */
function stackFrames({ stack }: Error): string | undefined {
  const start = stack?.indexOf('\n    at ') ?? -1
  return start === -1 ? undefined : stack?.slice(start + 1)
}

function roundMs(ms: number): number {
  return Math.round(ms * 1_000) / 1_000
}

/** One field of text, cut to a length; nothing when there is no text. */
function text(name: string, value: string | undefined, maxLength: number): string {
  if (value === undefined) return ''
  const short = value.length > maxLength ? `${value.slice(0, maxLength - 1)}…` : value
  // Most values need no escape, and looking costs less than JSON.stringify.
  return harmless.test(short) ? `,"${name}":"${short}"` : `,"${name}":${JSON.stringify(short)}`
}

/** Printable ASCII without quote and backslash. */
const harmless = /^[ !#-[\]-~]*$/

let lastMs = 0
let lastText = ''

/** ISO 8601 in UTC; formatted once per millisecond. */
function isoTime(ms: number): string {
  if (ms !== lastMs) {
    lastMs = ms
    lastText = new Date(ms).toISOString()
  }
  return lastText
}
