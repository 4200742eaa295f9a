import { Metadata } from '@grpc/grpc-js'
import { load, type MessageTypeDefinition } from '@grpc/proto-loader'
import { googleProtos } from '../harness.ts'

/** One call that the backend got. */
export interface Heard {
  readonly method: string
  readonly request: object
  readonly metadata: Readonly<Record<string, string | Buffer>>
  /** Milliseconds to the deadline that it was given. */
  readonly leftMs: number
  // biome-ignore lint/suspicious/noExplicitAny: calls of every type.
  readonly call: any
}

// biome-ignore lint/suspicious/noExplicitAny: messages of every type.
type Method = (call: any, reply: any) => void

/** The methods that do not simply answer with their request. */
export async function specialMethods(): Promise<Readonly<Record<string, Method>>> {
  const definitions = await load(['google/rpc/status.proto', 'google/rpc/error_details.proto'], {
    includeDirs: [googleProtos],
  })
  const status = definitions['google.rpc.Status'] as MessageTypeDefinition<object, object>
  return {
    Raw: (call, reply) => reply(null, call.request),
    Fail: ({ request: { code, kind } }, reply) => {
      const metadata = trailing()
      const details = failureDetails[kind as string]
      if (details !== undefined) {
        const bytes = status.serialize({ code, message: 'as asked', details })
        metadata.set('grpc-status-details-bin', Buffer.from(bytes))
      }
      if (kind === 'garbage') metadata.set('grpc-status-details-bin', Buffer.from([0xff, 0xff]))
      reply({ code, details: 'as asked', metadata })
    },
    Metadata: (call, reply) => {
      call.sendMetadata(leading())
      reply(null, {}, trailing())
    },
    Stream: (call) => {
      call.sendMetadata(leading())
      for (let number = 1; number <= call.request.to; number++) call.write({ number })
      call.end(trailing())
    },
    Hang: () => {},
  }
}

function leading(): Metadata {
  const metadata = new Metadata()
  metadata.set('x-cost', '7')
  metadata.set('x-raw-bin', Buffer.from([0, 255]))
  metadata.set('etag', '"1"')
  metadata.set('x-user-id', 'somebody')
  metadata.set('x-request-id', 'theirs')
  metadata.set('x-response-time', 'theirs')
  return metadata
}

function trailing(): Metadata {
  const metadata = new Metadata()
  metadata.set('x-rows', '3')
  metadata.set('x-sum-bin', Buffer.from([1, 2]))
  return metadata
}

const errorInfo = {
  '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
  reason: 'NO_FLOUR',
  domain: 'kitchen',
}
const unheard = { type_url: 'type.googleapis.com/acme.Unheard', value: Buffer.from([1, 2, 3]) }
const failureDetails: Readonly<Record<string, readonly object[]>> = {
  retry: [
    { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: { seconds: 2, nanos: 500_000_000 } },
  ],
  retryAtOnce: [
    { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: { seconds: 0, nanos: 0 } },
  ],
  known: [errorInfo],
  unknown: [unheard],
  mixed: [unheard, errorInfo],
  broken: [{ type_url: 'type.googleapis.com/google.rpc.ErrorInfo', value: Buffer.from([0xff]) }],
  violations: [
    {
      '@type': 'type.googleapis.com/google.rpc.BadRequest',
      fieldViolations: [{ field: 'title', description: 'is missing' }],
    },
  ],
}
