import { z } from 'zod'
import type { Exchange, ReplyHead } from '../../core/exchange.ts'
import type { Plugin } from '../../core/plugin.ts'
import { size } from '../../core/units.ts'
import { definePlugin, type PluginDefinition, type PluginHost } from '../../pipeline/registry.ts'
import { makeCoder } from './coders.ts'
import { type CodingName, chooseCoding } from './negotiate.ts'
import { HeadFacts, removeHeaders, weakenEtag } from './reply-facts.ts'

/** Event streams stall in a coder that nobody flushes, and flushed after each event they gain nothing; gRPC codes its messages itself. */
const neverCoded =
  /^(?:text\/event-stream|application\/(?:x-)?ndjson|application\/(?:x-)?json-?(?:seq|lines?)|application\/grpc.*|multipart\/.*)$/

const options = z.strictObject({
  encodings: z
    .array(z.enum(['zstd', 'br', 'gzip']))
    .min(1)
    .default(['zstd', 'br', 'gzip'])
    .describe('What is offered; of those that the client wants alike the first.'),
  minBytes: size().prefault('1kb').describe('Answers that are known to be smaller stay as they are.'),
  types: z
    .array(
      z
        .string()
        .toLowerCase()
        .regex(/^[a-z0-9!#$&^_.+-]+\/(?:[a-z0-9!#$&^_.+-]+|\*)$/, 'expected a media type: text/html, text/*')
        .refine((type) => !neverCoded.test(type), 'streams of events and gRPC are never compressed'),
    )
    .min(1)
    .default([
      'application/json',
      'application/problem+json',
      'application/graphql-response+json',
      'application/ld+json',
      'application/geo+json',
      'application/javascript',
      'application/xml',
      'image/svg+xml',
      'text/css',
      'text/csv',
      'text/html',
      'text/javascript',
      'text/plain',
      'text/xml',
    ])
    .describe('Media types that are compressed; text/* for all texts.'),
  maxActive: z
    .int()
    .min(1)
    .default(256)
    .describe('Answers under compression at once; above that they leave as they are.'),
})

type CompressionOptions = z.output<typeof options>

/** Compresses answers for clients that take them so (RFC 9110 section 12.5.3), piece by piece. */
export const compression: PluginDefinition = definePlugin({
  name: 'compression',
  options,
  create: (settings, host): Plugin => new Compression(settings, host),
})

class Compression implements Plugin {
  readonly #encodings: readonly CodingName[]
  readonly #minBytes: number
  readonly #maxActive: number
  readonly #types: ReadonlySet<string>
  readonly #load: { active: number }

  constructor({ encodings, minBytes, types, maxActive }: CompressionOptions, host: PluginHost) {
    this.#encodings = encodings
    this.#minBytes = minBytes
    this.#maxActive = maxActive
    this.#types = new Set(types)
    this.#load = host.keep('compression:load', () => ({ active: 0 }))
  }

  onReply(x: Exchange, reply: ReplyHead): void {
    const { status, headers } = reply
    if (status < 200 || status === 204 || status === 206 || reply.coding !== undefined) return
    const facts = new HeadFacts(headers)
    // A 304 says what the 200 would have said, which need not have told its type again (RFC 9110 section 15.4.5).
    if (!this.#takes(facts.type) && !(status === 304 && facts.type === '')) return
    if (facts.mustStay || /\bno-transform\b/i.test(x.header('cache-control') ?? '')) return
    if (status !== 304 && facts.length !== undefined && facts.length < this.#minBytes) return
    if (!facts.variesByCoding) headers.push('Vary', 'Accept-Encoding')
    const accept = x.request.headers['accept-encoding']
    const coding = chooseCoding(accept === undefined ? undefined : String(accept), this.#encodings)
    if (coding === undefined) return
    if (status === 304) {
      weakenEtag(headers)
      return
    }
    const bodiless = x.request.method === 'HEAD'
    if (!bodiless && this.#load.active >= this.#maxActive) return
    removeHeaders(headers, droppedHeaders)
    weakenEtag(headers)
    headers.push('Content-Encoding', coding)
    if (bodiless) return
    const made = makeCoder(coding, facts.length === undefined)
    const load = this.#load
    load.active++
    made.stream.once('close', () => {
      load.active--
    })
    reply.coding = made
  }

  #takes(type: string): boolean {
    if (neverCoded.test(type)) return false
    return this.#types.has(type) || this.#types.has(`${type.split('/', 1)[0]}/*`)
  }
}

/** Of the body as it was: how long it is, and that parts of it can be had. */
const droppedHeaders: ReadonlySet<string> = new Set(['content-length', 'accept-ranges'])
