import type { Endpoint } from '../../../traffic/endpoint.ts'
import type { Probe } from '../../../traffic/health-check.ts'
import type { RpcEnd } from '../channel.ts'
import { Channels } from '../channels.ts'
import { openChannel } from '../open-channel.ts'
import { decodeHealthResponse, encodeHealthRequest, healthService, servingStatus } from './health-messages.ts'

/** How backends are asked. */
export interface GrpcProbeOptions {
  /** The service whose health is asked for; `''` for the server as a whole. */
  readonly service: string
  readonly timeoutMs: number
}

/** Asks `grpc.health.v1.Health/Check`; SERVING alone is healthy. Source: grpc/doc/health-checking.md. */
export class GrpcProbe implements Probe {
  readonly #options: GrpcProbeOptions
  readonly #channels = new Channels((endpoint) =>
    openChannel(endpoint, { kind: 'fast', maxMessageBytes: 4_096 }),
  )

  constructor(options: GrpcProbeOptions) {
    this.#options = options
  }

  probe(endpoint: Endpoint): Promise<string | undefined> {
    const { service, timeoutMs } = this.#options
    return new Promise((resolve) => {
      let answer: Uint8Array | undefined
      this.#channels.to(endpoint).start(
        {
          path: `/${healthService}/Check`,
          message: encodeHealthRequest(service),
          metadata: [],
          timeoutMs,
          serverStreaming: false,
        },
        {
          head: () => {},
          message: (bytes) => {
            answer = bytes
          },
          end: (end) => resolve(end.code === 0 ? faultOf(answer) : this.#failure(end)),
        },
      )
    })
  }

  close(): void {
    this.#channels.close()
  }

  #failure({ code, message, fromBackend, failure }: RpcEnd): string {
    if (!fromBackend) return `probe failed: ${failure === 'deadline' ? 'no answer in time' : message}`
    if (code === 12)
      return `probe was answered UNIMPLEMENTED: register ${healthService} at the backend, or probe otherwise`
    const { service } = this.#options
    if (code === 5) return `probe was answered NOT_FOUND: the backend's health has no service "${service}"`
    return `probe was answered with status ${code}${message === '' ? '' : `: ${message}`}`
  }
}

function faultOf(answer: Uint8Array | undefined): string | undefined {
  try {
    const status = decodeHealthResponse(answer ?? new Uint8Array())
    if (status === servingStatus.serving) return undefined
    return `probe was answered ${status === servingStatus.notServing ? 'NOT_SERVING' : `status ${status}`}`
  } catch {
    return 'probe was answered with something unreadable'
  }
}
