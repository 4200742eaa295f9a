import type { Registry } from '@bufbuild/protobuf'
import type { GatewayError } from '../../core/error.ts'
import type { FrontEnd } from '../../core/front-end.ts'
import type { HttpExchange } from '../../core/http-exchange.ts'
import type { Logger } from '../../core/log.ts'
import type { Row } from '../../core/route.ts'
import type { UnaryMethod } from '../../core/unary-method.ts'
import { answerError } from './answer-status.ts'
import { type Binding, compileBinding } from './binding.ts'
import { speaksConnect } from './connect/connect-format.ts'
import { refuseConnect } from './connect/refuse-connect.ts'
import type { Descriptors, RpcMethod } from './descriptors.ts'
import { type DescriptorOptions, gatherDescriptors } from './gather-descriptors.ts'
import { GatewayHealth } from './health/gateway-health.ts'
import { healthService } from './health/health-messages.ts'
import { healthRows } from './health/health-rows.ts'
import { HealthWatches } from './health/health-watches.ts'
import { compileMetadataRules, type MetadataRules } from './metadata-rules.ts'
import { policyOf, timeoutOf } from './method-options.ts'
import { missingRow } from './missing-rows.ts'
import { NativeAnswer } from './native/native-answer.ts'
import { besideJson, nativeRows } from './native/native-rows.ts'
import { refusalFormat } from './native/wire-format.ts'
import { type ChannelOptions, openChannel } from './open-channel.ts'
import { type ApiInfo, type DescribedService, describeApi } from './openapi/document.ts'
import { compileRendering } from './render-reply.ts'
import type { RpcRoute } from './rpc-route.ts'
import { type CountMessages, RpcTransport } from './rpc-transport.ts'
import { serveStream } from './serve-stream.ts'
import { serveUnary } from './serve-unary.ts'
import type { ServiceOptions } from './service-options.ts'
import { checkReplies, encodeReply } from './static-reply.ts'
import { serveSocket } from './streaming/serve-socket.ts'
import { SocketRows } from './streaming/socket-rows.ts'
import { unannotatedBinding } from './unannotated.ts'
import { findUnaryMethod } from './unary-methods.ts'

/** What the gRPC front-end serves, and where the descriptors of that come from. */
export interface GrpcOptions extends DescriptorOptions {
  readonly services: readonly ServiceOptions[]
  readonly limits: {
    /** The most that is read of a request body. */
    readonly bodyBytes: number
    /** The most that one encoded message may have, either way. */
    readonly messageBytes: number
  }
  /** Says whether the gateway is ready, for `grpc.health.v1` of its own. Default: that is not served. */
  readonly ready?: () => boolean
  /** How calls are carried to backends. Default: by the gateway's own client. */
  readonly channel?: Omit<ChannelOptions, 'maxMessageBytes'>
  /** Milliseconds between two pings of a WebSocket; 0: none. Default 30,000. */
  readonly socketPingMs?: number
  /** The header with the key of a consumer, lower case, for the description. Default `x-api-key`. */
  readonly apiKeyHeader?: string
  /** Headers with credentials, lower case: they stay here. Default: the one with the key. */
  readonly credentials?: ReadonlySet<string>
  /** What the description says of the whole. Default: that it is a gateway's. */
  readonly info?: ApiInfo
  /** Default: messages are not counted. */
  readonly countMessages?: CountMessages
  readonly log: Logger
}

/**
 * Makes the front-end: reads the protos, checks every binding. Rejects with an Error that names the file and, as far as they are
 * known, line, service, method and field. A service that its backend has not described yet is refused until it has.
 */
export async function createGrpcFrontEnd(options: GrpcOptions): Promise<GrpcFrontEnd> {
  const { descriptors, missing } = await gatherDescriptors(options, options.services)
  const [absent = [], services = []] = [true, false].map((is) =>
    options.services.filter(({ name }) => missing.has(name) === is),
  )
  return new GrpcFrontEnd({ ...options, services }, descriptors, absent)
}

/** Serves the methods of its services, and calls them for other places. */
export class GrpcFrontEnd implements FrontEnd {
  readonly name = 'grpc'
  readonly rows: Row[]
  readonly describe: () => object
  /** The unary method of a name, `library.v1.LibraryService/GetBook`. Throws an Error where there is none. */
  readonly unaryMethod: (name: string) => UnaryMethod
  readonly #watches: HealthWatches | undefined
  /** By the limit of a message. */
  readonly #transports = new Map<number, RpcTransport>()
  /** The methods of a service by name; undefined while its backend has not described it. */
  readonly methodsOf: (service: string) => readonly string[] | undefined
  readonly #options: GrpcOptions
  readonly #registry: Registry

  constructor(options: GrpcOptions, descriptors: Descriptors, absent: readonly ServiceOptions[]) {
    const { apiKeyHeader = 'x-api-key', credentials = new Set([apiKeyHeader]), info = {} } = options
    this.#options = options
    for (const { name, replies = {} } of options.services)
      checkReplies(
        name,
        descriptors.methodsOf(name).map(({ desc }) => desc),
        replies,
      )
    const bound = options.services.map((service) => ({
      service,
      metadata: compileMetadataRules(service.metadata, credentials),
      bindings: descriptors
        .methodsOf(service.name)
        .flatMap((method) => bindingsOf(method, service).map((rule) => compileBinding(method, rule))),
    }))
    const sockets = new SocketRows()
    const json = bound.flatMap(({ service, bindings, metadata }) =>
      bindings.flatMap((binding) => {
        const route = this.#route(service, binding, { descriptors, metadata })
        const row = this.#row(service, binding, serveWith(route))
        if (binding.method.desc.methodKind === 'unary') return row
        return [row, ...sockets.beside(row, binding.template, (x) => serveSocket(x, route))]
      }),
    )
    this.rows = [
      ...besideJson(
        json,
        options.services.flatMap((service) => {
          const messageBytes = this.#messageBytes(service)
          const transport = this.#transport(messageBytes)
          return nativeRows(service, { descriptors, messageBytes, credentials, transport, frontEnd: this })
        }),
      ),
      ...absent.map((service) => missingRow(service, this)),
    ]
    const { ready } = options
    const all = [...options.services, ...absent]
    // A service of that name which is configured is somebody else's.
    if (ready !== undefined && all.every(({ name }) => name !== healthService)) {
      const missing = new Set(absent.map(({ name }) => name))
      const health = new GatewayHealth({ ready, services: all, missing })
      this.#watches = new HealthWatches(health)
      this.rows.push(...healthRows({ health, watches: this.#watches, frontEnd: this }))
    }
    const shown = bound.filter(({ service }) => service.hidden !== true)
    const services = shown.map(
      ({ service, bindings }): DescribedService => ({
        bindings,
        policyOf: ({ method }) => policyOf(service, method),
        style: service.json,
      }),
    )
    const { registry, comments } = descriptors
    this.#registry = registry
    this.describe = () => describeApi({ services, registry, comments, apiKeyHeader, info })
    const callable = bound.map(({ service, metadata }) => {
      const messageBytes = this.#messageBytes(service)
      return { service, metadata, messageBytes, transport: this.#transport(messageBytes) }
    })
    this.methodsOf = (name) =>
      options.services.some((service) => service.name === name)
        ? descriptors.methodsOf(name).map(({ desc }) => desc.name)
        : undefined
    this.unaryMethod = (name) => findUnaryMethod(name, { services: callable, absent, descriptors })
  }

  refuse(x: HttpExchange, error: GatewayError): void {
    const format = refusalFormat(x)
    if (format !== undefined) new NativeAnswer(x, format).refuse(error)
    else if (speaksConnect(x)) refuseConnect(x, error, this.#registry)
    else answerError(x, error)
  }

  retire(): void {
    this.#watches?.retire()
  }

  async close(): Promise<void> {
    for (const transport of this.#transports.values()) transport.close()
  }

  #messageBytes({ messageBytes }: ServiceOptions): number {
    return messageBytes ?? this.#options.limits.messageBytes
  }

  /** Services of one limit share their connections. */
  #transport(maxMessageBytes: number): RpcTransport {
    const channel = { ...this.#options.channel, maxMessageBytes }
    const transport =
      this.#transports.get(maxMessageBytes) ??
      new RpcTransport((endpoint) => openChannel(endpoint, channel), this.#options.countMessages)
    this.#transports.set(maxMessageBytes, transport)
    return transport
  }

  #row(service: ServiceOptions, { method, template, verb }: Binding, serve: Row['serve']): Row {
    return {
      id: method.path.slice(1),
      protocol: 'grpc',
      template: template.text,
      policy: policyOf(service, method),
      methods: verb === '*' ? [] : [verb.toUpperCase()],
      hosts: [],
      headers: [],
      query: [],
      priority: 0,
      encodedSlash: true,
      frontEnd: this,
      leadsTo: service.destination.summary,
      origin: method.origin,
      serve,
    }
  }

  #route(service: ServiceOptions, binding: Binding, { descriptors, metadata }: Surroundings): RpcRoute {
    const { limits, socketPingMs = 30_000 } = this.#options
    const messageBytes = this.#messageBytes(service)
    const { desc } = binding.method
    const { registry } = descriptors
    return {
      binding,
      destination: service.destination,
      transport: this.#transport(messageBytes),
      bind: { registry, ignoreUnknown: service.json.ignoreUnknown, ...limits, messageBytes },
      rendering: compileRendering(desc.output, binding.responseBody, { style: service.json, registry }),
      registry,
      metadata,
      instead: encodeReply(desc, service.replies ?? {}, registry),
      timeoutMs: timeoutOf(service, binding.method),
      socketPingMs,
    }
  }
}

/** What all bindings of a service have in common. */
interface Surroundings {
  readonly descriptors: Descriptors
  readonly metadata: MetadataRules
}

function bindingsOf(method: RpcMethod, { unannotated }: ServiceOptions): RpcMethod['bindings'] {
  return method.bindings.length === 0 && unannotated ? [unannotatedBinding(method.path)] : method.bindings
}

function serveWith(route: RpcRoute): Row['serve'] {
  const { methodKind } = route.binding.method.desc
  const streams = methodKind === 'server_streaming' || methodKind === 'bidi_streaming'
  return streams ? (x) => serveStream(x, route) : (x) => serveUnary(x, route)
}
