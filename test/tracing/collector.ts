import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { gunzipSync } from 'node:zlib'

/** A span as the collector read it, with its attributes as a record. */
export interface ReadSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  readonly traceState: string | undefined
  readonly name: string
  readonly kind: number
  readonly flags: number
  /** Nanoseconds of Unix time. */
  readonly start: bigint
  readonly end: bigint
  readonly attributes: Readonly<Record<string, unknown>>
  readonly status: { readonly code?: number; readonly message?: string } | undefined
}

export interface Batch {
  readonly headers: Readonly<Record<string, unknown>>
  readonly resource: Readonly<Record<string, unknown>>
  readonly spans: readonly ReadSpan[]
}

/** A collector on loopback that reads OTLP over HTTP in JSON by the messages of OpenTelemetry's own package. */
export interface Collector {
  readonly url: string
  /** What it took, oldest first. */
  readonly batches: Batch[]
  readonly spans: ReadSpan[]
  /** What it answers the next batches with; tests change it. */
  answer: { status: number; body?: string } | 'nothing'
  /** How many requests came, whatever they were answered with. */
  asked: number
  /** Resolves when `isThere`, asked after each request. */
  until(isThere: () => boolean): Promise<void>
}

export async function startCollector(t: TestContext): Promise<Collector> {
  let told = Promise.withResolvers<void>()
  const server = createServer(async (req, res) => {
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk as Buffer)
    const bytes = Buffer.concat(chunks)
    assert.deepEqual([req.method, req.headers['content-type']], ['POST', 'application/json'])
    collector.asked++
    const { answer } = collector
    if (answer !== 'nothing') {
      if (answer.status === 200) {
        const zipped = req.headers['content-encoding'] === 'gzip'
        const batch = {
          headers: { ...req.headers, path: req.url },
          ...read(zipped ? gunzipSync(bytes) : bytes),
        }
        collector.batches.push(batch)
        collector.spans.push(...batch.spans)
      }
      res.writeHead(answer.status, { 'Content-Type': 'application/json' }).end(answer.body ?? '{}')
    }
    told.resolve()
    told = Promise.withResolvers()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  const collector: Collector = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    batches: [],
    spans: [],
    answer: { status: 200 },
    asked: 0,
    async until(isThere) {
      while (!isThere()) await told.promise
    },
  }
  return collector
}

const { opentelemetry } = createRequire(import.meta.url)(
  '@opentelemetry/otlp-transformer/build/src/generated/root',
) as { opentelemetry: { proto: { collector: { trace: { v1: { ExportTraceServiceRequest: Message } } } } } }
const { ExportTraceServiceRequest: request } = opentelemetry.proto.collector.trace.v1

/** A message of protobufjs. */
interface Message {
  verify(plain: object): string | null
  fromObject(plain: object): object
  encode(message: object): { finish(): Uint8Array }
  decode(bytes: Uint8Array): object
  toObject(message: object, options: object): object
}

/** Through the binary form and back: whatever is not in the messages, or of another type there, is missing then. */
function read(bytes: Buffer): Omit<Batch, 'headers'> {
  const flags: number[] = []
  const sent = JSON.parse(bytes.toString('utf8'), (key, value) => {
    // OTLP has ids in hexadecimal where the JSON of protobuf has base64.
    if (idKeys.has(key)) return Buffer.from(value, 'hex').toString('base64')
    if (key !== 'flags') return value
    // Field 16 of a span (`fixed32`), which came with OTLP 1.1 and is not in these messages yet.
    flags.push(value)
    return undefined
  })
  const binary = request.encode(request.fromObject(sent)).finish()
  const got = request.toObject(request.decode(binary), { longs: String, bytes: String })
  assert.deepEqual(got, sent)
  const { resourceSpans } = got as { resourceSpans: ResourceSpans[] }
  const [{ resource, scopeSpans }, ...otherResources] = resourceSpans as [ResourceSpans]
  const [{ scope, spans }, ...otherScopes] = scopeSpans as [ScopeSpans]
  assert.equal(otherResources.length + otherScopes.length, 0)
  assert.equal(scope.name, 'trivium')
  return { resource: recordOf(resource.attributes), spans: spans.map((span, i) => spanOf(span, flags[i])) }
}

const idKeys: ReadonlySet<string> = new Set(['traceId', 'spanId', 'parentSpanId'])

interface ResourceSpans {
  readonly resource: { readonly attributes: KeyValue[] }
  readonly scopeSpans: ScopeSpans[]
}

interface ScopeSpans {
  readonly scope: { readonly name: string }
  readonly spans: RawSpan[]
}

interface RawSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly traceState?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: KeyValue[]
  readonly status?: { readonly code: number; readonly message?: string }
}

interface KeyValue {
  readonly key: string
  readonly value: Readonly<Record<string, unknown>>
}

function spanOf(span: RawSpan, flags = 0): ReadSpan {
  const { traceState, name, kind, status } = span
  return {
    traceId: hex(span.traceId, 16),
    spanId: hex(span.spanId, 8),
    parentSpanId: span.parentSpanId === undefined ? undefined : hex(span.parentSpanId, 8),
    traceState,
    flags,
    name,
    kind,
    start: BigInt(span.startTimeUnixNano),
    end: BigInt(span.endTimeUnixNano),
    attributes: recordOf(span.attributes),
    status,
  }
}

function hex(base64: string, length: number): string {
  const bytes = Buffer.from(base64, 'base64')
  assert.equal(bytes.length, length)
  return bytes.toString('hex')
}

function recordOf(attributes: readonly KeyValue[]): Record<string, unknown> {
  assert.equal(
    new Set(attributes.map(({ key }) => key)).size,
    attributes.length,
    'no attribute is there twice',
  )
  return Object.fromEntries(
    attributes.map(({ key, value }) => {
      const [[type, inner]] = Object.entries(value) as [[string, unknown]]
      return [key, type === 'intValue' ? Number(inner) : inner]
    }),
  )
}
