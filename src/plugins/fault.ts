import { z } from 'zod'
import { GatewayError } from '../core/error.ts'
import type { Exchange } from '../core/exchange.ts'
import type { Plugin } from '../core/plugin.ts'
import type { Reason } from '../core/reason.ts'
import { duration } from '../core/units.ts'
import { definePlugin, type PluginDefinition, type PluginHost } from '../pipeline/registry.ts'
import { type Cell, counter } from './instruments.ts'

/** What a real failure of each status is called, so that clients meet the same as when it happens. */
const reasonOf = {
  403: 'REFUSED_BY_PLUGIN',
  404: 'ROUTE_NOT_FOUND',
  429: 'RATE_LIMITED',
  500: 'INTERNAL',
  501: 'NOT_IMPLEMENTED',
  502: 'UPSTREAM_RESET',
  503: 'UNAVAILABLE',
  504: 'UPSTREAM_TIMEOUT',
} as const satisfies Readonly<Record<number, Reason>>

const percent = z.number().min(0).max(100)

const options = z
  .strictObject({
    delay: z
      .strictObject({
        percent: percent.describe('Share of the requests that wait, 0 to 100.'),
        duration: duration()
          .refine((ms) => ms <= 60_000, 'at most 60s')
          .describe('How long they wait, at most 60s.'),
      })
      .optional()
      .describe('Makes requests wait.'),
    abort: z
      .strictObject({
        percent: percent.describe('Share of the requests that fail, 0 to 100.'),
        status: z
          .literal([403, 404, 429, 500, 501, 502, 503, 504])
          .default(503)
          .describe('The HTTP status; gRPC clients get the status code that stands for it.'),
      })
      .optional()
      .describe('Makes requests fail, in the words of their protocol; after the delay where both meet.'),
    onlyWith: z
      .strictObject({
        header: z.string().toLowerCase().min(1).describe('Name of the request header.'),
        value: z.string().optional().describe('The value that it must have; any by default.'),
      })
      .optional()
      .describe('Spares all requests but those with this header, for tests beside real traffic.'),
  })
  .refine(({ delay, abort }) => delay !== undefined || abort !== undefined, 'needs delay or abort')

type FaultOptions = z.output<typeof options>

/** Delays and fails a share of the requests on purpose, to see what callers do then. */
export const fault: PluginDefinition = definePlugin({
  name: 'fault',
  options,
  create: (settings, host): Plugin => new Fault(settings, host),
})

class Fault implements Plugin {
  readonly #delay: FaultOptions['delay']
  readonly #abort: FaultOptions['abort']
  readonly #onlyWith: FaultOptions['onlyWith']
  readonly #delays: Cell
  readonly #aborts: Cell

  constructor({ delay, abort, onlyWith }: FaultOptions, host: PluginHost) {
    this.#delay = delay
    this.#abort = abort
    this.#onlyWith = onlyWith
    const injected = counter(host.metrics, {
      name: 'gateway_faults_injected_total',
      help: 'Faults that the configuration asked for.',
      labelNames: ['policy', 'kind'],
    })
    const policy = host.policy?.id ?? 'global'
    this.#delays = injected.labels(policy, 'delay')
    this.#aborts = injected.labels(policy, 'abort')
  }

  onRequest(x: Exchange): void | Promise<void> {
    if (this.#onlyWith !== undefined) {
      const found = x.header(this.#onlyWith.header)
      if (found === undefined || found !== (this.#onlyWith.value ?? found)) return
    }
    const fails = this.#abort !== undefined && meets(this.#abort.percent)
    if (this.#delay === undefined || !meets(this.#delay.percent)) {
      if (fails) this.#fail(x)
      return
    }
    this.#delays.value++
    x.attributes['gateway.fault'] = 'delay'
    const waited = wait(x, this.#delay.duration)
    return fails ? waited.then(() => this.#fail(x)) : waited
  }

  #fail(x: Exchange): never {
    const { status } = this.#abort as NonNullable<FaultOptions['abort']>
    this.#aborts.value++
    x.attributes['gateway.fault'] = 'abort'
    throw new GatewayError(reasonOf[status], 'The gateway was configured to fail this request.', {
      reached: false,
      ...(status === 429 || status === 503 ? { retryAfterMs: 1_000 } : undefined),
    })
  }
}

/** 0 never and 100 always, whatever the number drawn is. */
function meets(percent: number): boolean {
  return Math.random() * 100 < percent
}

/** Over at once when the client leaves. */
function wait(x: Exchange, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, delayMs)
    x.whenGone(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}
