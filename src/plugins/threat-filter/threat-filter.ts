import { z } from 'zod'
import { GatewayError } from '../../core/error.ts'
import type { Exchange } from '../../core/exchange.ts'
import { essence } from '../../core/media-type.ts'
import type { Plugin } from '../../core/plugin.ts'
import { size } from '../../core/units.ts'
import { definePlugin, type PluginDefinition, type PluginHost } from '../../pipeline/registry.ts'
import { type Cell, counter, type Family } from '../instruments.ts'
import { type Rule, rules } from './rules.ts'
import { decoded, Texts } from './scan.ts'

const options = z.strictObject({
  mode: z
    .enum(['report', 'block'])
    .default('report')
    .describe('report: what is found goes to the log and the metrics, and the request passes; block: 403.'),
  threshold: z
    .int()
    .min(1)
    .max(100)
    .default(5)
    .describe('The score of a request from which on it counts as an attack. One certain sign has 5.'),
  paranoia: z
    .union([z.literal(1), z.literal(2)])
    .default(1)
    .describe('2: rules that find more, also in what is harmless.'),
  headers: z
    .array(
      z
        .string()
        .toLowerCase()
        .regex(/^[!#$%&'*+.^_`|~0-9a-z-]+$/, 'expected a header name'),
    )
    .default(['user-agent', 'referer'])
    .describe('Request headers that are looked at.'),
  body: z
    .boolean()
    .default(false)
    .describe(
      'Whether bodies are looked at, too: JSON, forms and text of REST, variables of GraphQL. They are read whole for that.',
    ),
  bodyBytes: size()
    .prefault('64kb')
    .refine((bytes) => bytes <= 262_144, 'at most 256kb')
    .describe(
      'Largest body that is looked at, at most 256kb; with block a larger one is refused (413), with report it passes unseen.',
    ),
})

type Options = z.output<typeof options>

/**
 * Looks for signs of attacks in what a request says: path, query, headers, body. Adds up their scores; nothing of what was sent is logged. A
 * filter like this finds the common, and neither all nor only attacks: it is no substitute for backends that are right.
 */
export const threatFilter: PluginDefinition = definePlugin({
  name: 'threatFilter',
  options,
  create: (settings, host): Plugin => new ThreatFilter(settings, host),
})

class ThreatFilter implements Plugin {
  readonly #options: Options
  readonly #rules: readonly Rule[]
  readonly #found: Family<Cell>

  constructor(settings: Options, host: PluginHost) {
    this.#options = settings
    this.#rules = rules.filter(({ paranoia }) => paranoia <= settings.paranoia)
    this.#found = counter(host.metrics, {
      name: 'gateway_threats_total',
      help: 'Requests with a score of threatFilter, by rule.',
      labelNames: ['rule', 'outcome'],
    })
  }

  onRequest(x: Exchange): void | Promise<void> {
    const texts = new Texts()
    const { path, query } = x.request
    if (!plainPath.test(path)) texts.look(decoded(path))
    if (query !== '') lookAtQuery(texts, x)
    for (const name of this.#options.headers) {
      const value = x.request.headers[name]
      if (value !== undefined) texts.look(String(value))
    }
    if (this.#options.body && x.hasBody) {
      if (isReadable(x)) return this.#lookAtBody(x, texts)
      x.attributes['threat.unseen'] = 'body'
    }
    this.#decide(x, texts)
  }

  async #lookAtBody(x: Exchange, texts: Texts): Promise<void> {
    const { mode, bodyBytes } = this.#options
    // Only a length that is declared says beforehand that reading the body will not refuse it.
    if (mode === 'report' && !(Number(x.header('content-length')) <= bodyBytes))
      x.attributes['threat.unseen'] = 'body'
    else look(texts, x, await x.body(bodyBytes))
    this.#decide(x, texts)
  }

  #decide(x: Exchange, texts: Texts): void {
    const { score, ids } = texts.judge(this.#rules)
    if (score === 0) return
    const { mode, threshold } = this.#options
    const attack = score >= threshold
    const outcome = !attack ? 'below' : mode === 'block' ? 'blocked' : 'reported'
    for (const id of ids) this.#found.labels(id, outcome).value++
    x.attributes['threat.score'] = score
    x.attributes['threat.rules'] = ids.join(',')
    if (attack && mode === 'block')
      throw new GatewayError('THREAT_REFUSED', 'The request looks like an attack.')
  }
}

const plainPath = /^[\w.,@/-]*$/

function isReadable(x: Exchange): boolean {
  const { headers } = x.request
  return x.route.protocol !== 'grpc' && kindOf(x) !== undefined && headers['content-encoding'] === undefined
}

/** GraphQL has its document and its variables in the query, the one a program, the other JSON. */
function lookAtQuery(texts: Texts, x: Exchange): void {
  if (x.route.protocol !== 'graphql') {
    texts.lookAtPairs(x.request.query)
    return
  }
  const variables = new URLSearchParams(x.request.query).get('variables')
  if (variables !== null) lookAtJsonText(texts, variables)
}

type Kind = 'json' | 'form' | 'text'

function kindOf(x: Exchange): Kind | undefined {
  const type = essence(x.header('content-type') ?? '')
  if (type === 'application/json' || type.endsWith('+json')) return 'json'
  if (type === 'application/x-www-form-urlencoded') return 'form'
  return type.startsWith('text/') || type === 'application/xml' || type.endsWith('+xml') ? 'text' : undefined
}

function look(texts: Texts, x: Exchange, body: Buffer): void {
  const text = body.toString()
  const kind = kindOf(x)
  if (x.route.protocol === 'graphql') lookAtVariables(texts, text)
  else if (kind === 'json') lookAtJsonText(texts, text)
  else if (kind === 'form') texts.lookAtPairs(text)
  else texts.look(text)
}

/** What is no JSON is text to some backend. */
function lookAtJsonText(texts: Texts, text: string): void {
  const value = parsed(text)
  if (value === undefined) texts.look(text)
  else texts.lookAtJson(value)
}

function lookAtVariables(texts: Texts, text: string): void {
  const value = parsed(text)
  for (const one of Array.isArray(value) ? value : [value]) {
    if (typeof one === 'object' && one !== null) texts.lookAtJson((one as { variables?: unknown }).variables)
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
