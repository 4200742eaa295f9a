import { GatewayError } from '../../core/error.ts'
import type { FrontEnd } from '../../core/front-end.ts'
import type { HttpExchange } from '../../core/http-exchange.ts'
import type { Logger } from '../../core/log.ts'
import type { Policy, Row } from '../../core/route.ts'
import type { Upstream } from '../../traffic/upstream.ts'
import { answerError } from './answer-status.ts'
import { type Binding, compileBinding } from './binding.ts'
import { type Descriptors, loadDescriptors, type RpcMethod } from './descriptors.ts'
import type { HttpBinding } from './http-rule.ts'
import { NativeAnswer } from './native/native-answer.ts'
import { nativeRows } from './native/native-rows.ts'
import { wireFormat } from './native/wire-format.ts'
import { type ChannelKind, openChannel } from './open-channel.ts'
import { compileRendering, type JsonStyle } from './render-reply.ts'
import type { RpcRoute } from './rpc-route.ts'
import { RpcTransport } from './rpc-transport.ts'
import { serveStream } from './serve-stream.ts'
import { serveUnary } from './serve-unary.ts'

/** What the gRPC front-end serves: services that `.proto` files declare. */
export interface GrpcOptions {
  /** Absolute paths of `.proto` files. */
  readonly protoFiles: readonly string[]
  /** Absolute; google/api, google/rpc, google/type and google/protobuf are always found. */
  readonly includeDirs: readonly string[]
  readonly services: readonly ServiceOptions[]
  readonly limits: {
    /** The most that is read of a request body. */
    readonly bodyBytes: number
    /** The most that one encoded message may have, either way. */
    readonly messageBytes: number
  }
  /** Which client carries the calls to backends. Default `fast`. */
  readonly channel?: ChannelKind
  readonly log: Logger
}

/** One service and who serves it. */
export interface ServiceOptions {
  /** Full name: `library.v1.LibraryService`. */
  readonly name: string
  readonly upstream: Upstream
  readonly policy: Policy
  /** For one call, in milliseconds. Default: the upstream's for unary calls, none for streams. */
  readonly timeoutMs?: number
  readonly json: JsonOptions
  /** Lower-case names of headers with credentials that stay here, besides the well-known ones. Default: none. */
  readonly hiddenHeaders?: ReadonlySet<string>
}

/** How the JSON of a service is written and read. */
export interface JsonOptions extends JsonStyle {
  /** Whether unknown fields and parameters are passed over instead of refused. */
  readonly ignoreUnknown: boolean
}

/**
 * Makes the front-end: reads the protos, checks every binding. Rejects with an Error that names the file and, as far as they are
 * known, line, service, method and field.
 */
export async function createGrpcFrontEnd(options: GrpcOptions): Promise<FrontEnd> {
  const descriptors = loadDescriptors({ files: options.protoFiles, includeDirs: options.includeDirs })
  return new GrpcFrontEnd(options, descriptors)
}

class GrpcFrontEnd implements FrontEnd {
  readonly name = 'grpc'
  readonly rows: readonly Row[]
  readonly #transport: RpcTransport

  constructor(options: GrpcOptions, descriptors: Descriptors) {
    const channel = { kind: options.channel ?? 'fast', maxMessageBytes: options.limits.messageBytes }
    this.#transport = new RpcTransport((endpoint) => openChannel(endpoint, channel))
    const { messageBytes } = options.limits
    const native = { descriptors, messageBytes, transport: this.#transport, frontEnd: this }
    const bound = options.services.flatMap((service) =>
      descriptors.methodsOf(service.name).flatMap((method) =>
        method.bindings.filter(routable(options.log, method)).map((rule) => {
          const binding = compileBinding(method, rule)
          return this.#row(service, binding, this.#serveWith(service, binding, { options, descriptors }))
        }),
      ),
    )
    this.rows = [...bound, ...options.services.flatMap((service) => nativeRows(service, native))]
  }

  refuse(x: HttpExchange, error: GatewayError): void {
    const format = wireFormat(x)
    if (format === undefined) answerError(x, error)
    else new NativeAnswer(x, format).refuse(error)
  }

  async close(): Promise<void> {
    this.#transport.close()
  }

  #row({ policy }: ServiceOptions, { method, template, verb }: Binding, serve: Row['serve']): Row {
    return {
      id: method.path.slice(1),
      protocol: 'grpc',
      template: template.text,
      policy,
      methods: verb === '*' ? [] : [verb.toUpperCase()],
      hosts: [],
      headers: [],
      query: [],
      priority: 0,
      encodedSlash: true,
      frontEnd: this,
      origin: method.origin,
      serve,
    }
  }

  #serveWith(
    service: ServiceOptions,
    binding: Binding,
    { options, descriptors }: { readonly options: GrpcOptions; readonly descriptors: Descriptors },
  ): Row['serve'] {
    const { desc } = binding.method
    const { registry } = descriptors
    if (desc.methodKind === 'client_streaming' || desc.methodKind === 'bidi_streaming')
      return refuseClientStream(binding.method)
    const streams = desc.methodKind === 'server_streaming'
    const route: RpcRoute = {
      binding,
      upstream: service.upstream,
      transport: this.#transport,
      bind: { registry, ignoreUnknown: service.json.ignoreUnknown, ...options.limits },
      rendering: compileRendering(desc.output, binding.responseBody, { style: service.json, registry }),
      registry,
      timeoutMs: service.timeoutMs ?? (streams ? 0 : service.upstream.options.requestTimeoutMs),
    }
    return streams ? (x) => serveStream(x, route) : (x) => serveUnary(x, route)
  }
}

/**
 * Some of Google's own protos (Firestore's ListDocuments) have segments after `**`, which http.proto forbids and the router
 * does not know: such a binding is left out, with a warning, so that the others can be used.
 */
function routable(log: Logger, { origin }: RpcMethod): (rule: HttpBinding) => boolean {
  return ({ template }) => {
    if (!/\*\*}?\//.test(template)) return true
    log.warn({ origin, template }, 'A binding is left out: its template goes on after "**".')
    return false
  }
}

function refuseClientStream({ path }: RpcMethod): Row['serve'] {
  return () => {
    throw new GatewayError(
      'NOT_IMPLEMENTED',
      `${path.slice(1)} takes a stream of messages, which is not served over HTTP.`,
    )
  }
}
