import type { TestContext } from 'node:test'
import type { DescMessage, DescService } from '@bufbuild/protobuf'
import { type CallOptions, createClient, type Transport } from '@connectrpc/connect'
import { type Descriptors, loadDescriptors } from '../../../../src/front-ends/grpc/descriptors.ts'
import { startGateway, type TestGateway } from '../../../world.ts'
import { testProtos } from '../harness.ts'
import { kitchenName, kitchenProto, type Seen, startKitchen } from '../kitchen.ts'
import { type RelaySeen, relayName, relayProto, startRelayBackend } from '../streaming/relay.ts'

/** A whole gateway with a kitchen and a relay behind it. */
export interface ConnectWorld extends TestGateway {
  readonly kitchen: Seen
  readonly relay: RelaySeen
}

// biome-ignore lint/suspicious/noExplicitAny: messages of protos that no code was generated for.
export type Loose = any

/** A client of a service that is known at run time only. */
export type LooseClient = Readonly<
  Record<
    'echo' | 'fail' | 'hang' | 'metadata' | 'count' | 'download' | 'peek' | 'sum' | 'list',
    (request: Loose, options?: CallOptions) => Loose
  >
>

/** `place` is what both services are configured with, `more` the rest of the configuration. */
export async function openConnect(
  t: TestContext,
  place: object = { auth: 'none' },
  more: object = {},
): Promise<ConnectWorld> {
  const kitchen = await startKitchen()
  t.after(() => kitchen.close())
  const relay = await startRelayBackend(t)
  const { grpc = {}, ...rest } = more as { grpc?: object }
  const gateway = await startGateway(t, {
    plugins: ['requestId', 'accessLog', 'metrics'],
    upstreams: {
      kitchen: { targets: [{ url: kitchen.url }] },
      relay: { targets: [{ url: relay.url }] },
    },
    grpc: {
      protos: [kitchenProto, relayProto],
      includeDirs: [testProtos],
      services: {
        [kitchenName]: { upstream: 'kitchen', ...place },
        [relayName]: { upstream: 'relay', ...place },
      },
      ...grpc,
    },
    ...rest,
  })
  return { ...gateway, kitchen: kitchen.seen, relay: relay.seen }
}

/** The descriptors of both services, read at run time. */
export const descriptors: Descriptors = loadDescriptors({
  files: [kitchenProto, relayProto],
  includeDirs: [testProtos],
})

/** A client of the kitchen. */
export function kitchenClient(transport: Transport): LooseClient {
  return clientOf(kitchenName, transport)
}

/** A client of the relay. */
export function relayClient(transport: Transport): LooseClient {
  return clientOf(relayName, transport)
}

/** A message of the protos, for details of errors. */
export function messageType(name: string): DescMessage {
  const found = descriptors.registry.getMessage(name)
  if (found === undefined) throw new Error(`no message ${name}`)
  return found
}

function clientOf(name: string, transport: Transport): LooseClient {
  const service = descriptors.registry.getService(name)
  if (service === undefined) throw new Error(`no service ${name}`)
  return createClient(service as DescService, transport) as unknown as LooseClient
}
