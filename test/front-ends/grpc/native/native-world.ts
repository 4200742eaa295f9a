import type { TestContext } from 'node:test'
import { Client, credentials, type Metadata, type ServiceError, type StatusObject } from '@grpc/grpc-js'
import { load, type MethodDefinition, type ServiceDefinition } from '@grpc/proto-loader'
import { startGateway, type TestGateway } from '../../../world.ts'
import { googleProtos, testProtos } from '../harness.ts'
import { kitchenName, kitchenProto, type Seen, startKitchen } from '../kitchen.ts'

/** A whole gateway with a kitchen behind it. */
export interface NativeWorld extends TestGateway {
  readonly seen: Seen
  readonly client: Client
  /** One unary call by grpc-js; resolves however it ends. */
  call(method: string, request: object, options?: CallOptions): Promise<CallResult>
  /** The definition of a method, for calls of other kinds. */
  method(name: string): MethodDefinition<object, object>
}

export interface CallOptions {
  readonly metadata?: Metadata
  readonly deadlineMs?: number
}

export interface CallResult {
  readonly reply: Record<string, unknown> | undefined
  readonly error: ServiceError | undefined
  readonly initial: Metadata | undefined
  readonly status: StatusObject
}

/** `place` is what the service is configured with, `more` the rest of the configuration. */
export async function openNative(
  t: TestContext,
  place: object = { auth: 'none' },
  more: object = {},
): Promise<NativeWorld> {
  const kitchen = await startKitchen()
  t.after(() => kitchen.close())
  const { grpc = {}, ...rest } = more as { grpc?: object }
  const gateway = await startGateway(t, {
    plugins: ['requestId', 'accessLog', 'metrics'],
    upstreams: { kitchen: { targets: [{ url: kitchen.url }] } },
    grpc: {
      protos: [kitchenProto],
      includeDirs: [testProtos],
      services: { [kitchenName]: { upstream: 'kitchen', ...place } },
      ...grpc,
    },
    ...rest,
  })
  const service = await kitchenService()
  const method = (name: string): MethodDefinition<object, object> => {
    const found = service[name]
    if (found === undefined) throw new Error(`no method ${name}`)
    return found
  }
  const client = new Client(`127.0.0.1:${gateway.port}`, credentials.createInsecure())
  t.after(() => client.close())
  return {
    ...gateway,
    seen: kitchen.seen,
    client,
    method,
    call: (name, request, options) => unary(client, method(name), { request, ...options }),
  }
}

/** The kitchen's methods with codecs, as proto-loader makes them. */
export async function kitchenService(): Promise<ServiceDefinition> {
  const definitions = await load(kitchenProto, { includeDirs: [testProtos, googleProtos], keepCase: true })
  return definitions[kitchenName] as ServiceDefinition
}

function unary(
  client: Client,
  { path, requestSerialize, responseDeserialize }: MethodDefinition<object, object>,
  { request, metadata, deadlineMs }: CallOptions & { readonly request: object },
): Promise<CallResult> {
  return new Promise((resolve) => {
    let initial: Metadata | undefined
    let reply: Record<string, unknown> | undefined
    let error: ServiceError | undefined
    const done = (failure: ServiceError | null, value?: object): void => {
      error = failure ?? undefined
      reply = value as Record<string, unknown> | undefined
    }
    const options = deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs }
    const call =
      metadata === undefined
        ? client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, options, done)
        : client.makeUnaryRequest(
            path,
            requestSerialize,
            responseDeserialize,
            request,
            metadata,
            options,
            done,
          )
    call.on('metadata', (head: Metadata) => {
      initial = head
    })
    call.on('status', (status) => setImmediate(() => resolve({ reply, error, initial, status })))
  })
}
