import type { TestContext } from 'node:test'
import {
  Client,
  type ClientDuplexStream,
  type ClientWritableStream,
  credentials,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js'
import { load, type MethodDefinition, type ServiceDefinition } from '@grpc/proto-loader'
import { startGateway, type TestGateway } from '../../../world.ts'
import { googleProtos, testProtos } from '../harness.ts'
import { type RelaySeen, relayName, relayProto, startRelayBackend } from '../streaming/relay.ts'

/** An item of the relay, as proto-loader has it. */
export interface Item {
  readonly number?: number
  readonly label?: string
  readonly padding?: Buffer
  readonly please?: string
}

/** A whole gateway with a relay behind it, and grpc-js in front of it. */
export interface NativeRelay extends TestGateway {
  readonly seen: RelaySeen
  readonly client: Client
  method(name: string): MethodDefinition<Item, object>
  /** The call of `Sum`, and how it ends. */
  sum(options?: RelayCallOptions): {
    readonly call: ClientWritableStream<Item>
    readonly done: Promise<SumEnd>
  }
  /** The call of `Echo`; its errors are ignored, its status is an event. */
  echo(options?: RelayCallOptions): ClientDuplexStream<Item, Item>
}

export interface RelayCallOptions {
  readonly metadata?: Metadata
  readonly deadlineMs?: number
}

export interface SumEnd {
  readonly error: ServiceError | null
  readonly total: Record<string, unknown> | undefined
}

interface RelayOptions {
  readonly clientOptions?: object
  /** What the upstream is configured with, beside its target. */
  readonly upstream?: object
}

/** `place` is what the service is configured with, `more` the rest of the configuration. */
export async function openRelay(
  t: TestContext,
  place: object = { auth: 'none' },
  { clientOptions = {}, upstream = {}, ...more }: Record<string, unknown> & RelayOptions = {},
): Promise<NativeRelay> {
  const backend = await startRelayBackend(t)
  const { grpc = {}, ...rest } = more as { grpc?: object }
  const gateway = await startGateway(t, {
    plugins: ['requestId', 'accessLog', 'metrics'],
    upstreams: { relay: { targets: [{ url: backend.url }], ...upstream } },
    grpc: {
      protos: [relayProto],
      includeDirs: [testProtos],
      services: { [relayName]: { upstream: 'relay', ...place } },
      ...grpc,
    },
    ...rest,
  })
  const definitions = await load(relayProto, { includeDirs: [testProtos, googleProtos], keepCase: true })
  const service = definitions[relayName] as ServiceDefinition
  const method = (name: string): MethodDefinition<Item, object> =>
    service[name] as MethodDefinition<Item, object>
  const client = new Client(`127.0.0.1:${gateway.port}`, credentials.createInsecure(), {
    'grpc.max_receive_message_length': 8_388_608,
    ...clientOptions,
  })
  t.after(() => client.close())
  const optionsOf = ({ deadlineMs }: RelayCallOptions): object =>
    deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs }
  return {
    ...gateway,
    seen: backend.seen,
    client,
    method,
    sum(options = {}) {
      const { path, requestSerialize, responseDeserialize } = method('Sum')
      const { promise: done, resolve } = Promise.withResolvers<SumEnd>()
      const call = client.makeClientStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        options.metadata ?? new Metadata(),
        optionsOf(options),
        (error, total) => resolve({ error, total: total as Record<string, unknown> | undefined }),
      )
      call.on('error', () => {})
      return { call, done }
    },
    echo(options = {}) {
      const { path, requestSerialize, responseDeserialize } = method('Echo')
      const call = client.makeBidiStreamRequest(
        path,
        requestSerialize,
        responseDeserialize as (bytes: Buffer) => Item,
        options.metadata ?? new Metadata(),
        optionsOf(options),
      )
      call.on('error', () => {})
      return call
    },
  }
}
