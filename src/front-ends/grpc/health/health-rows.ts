import { GatewayError } from '../../../core/error.ts'
import type { FrontEnd } from '../../../core/front-end.ts'
import type { HttpExchange } from '../../../core/http-exchange.ts'
import { openPolicy } from '../../../core/policy.ts'
import type { Row } from '../../../core/route.ts'
import { readMessage } from '../native/message-frame.ts'
import { NativeAnswer } from '../native/native-answer.ts'
import { wireFormat } from '../native/wire-format.ts'
import { postRow } from '../post-row.ts'
import type { GatewayHealth } from './gateway-health.ts'
import {
  decodeHealthRequest,
  encodeHealthList,
  encodeHealthResponse,
  healthService,
} from './health-messages.ts'
import type { HealthWatches } from './health-watches.ts'

export interface HealthRowOptions {
  readonly health: GatewayHealth
  readonly watches: HealthWatches
  readonly frontEnd: FrontEnd
}

/** `grpc.health.v1.Health` of the gateway itself, for gRPC and gRPC-Web; open to everybody, as `/readyz` is. */
export function healthRows({ health, watches, frontEnd }: HealthRowOptions): Row[] {
  const row = (method: string, serve: (x: HttpExchange, asked: Asked) => void): Row =>
    postRow({
      id: `${healthService}/${method}`,
      policy,
      frontEnd,
      always: true,
      origin: 'grpc.health',
      serve: async (x) => serve(x, await read(x, method)),
    })
  return [
    row('Check', (_x, { service, answer }) => {
      const status = health.statusOf(service)
      if (status === undefined) {
        answer.end({ code: notFound, message: `There is no service "${service}".`, trailers: [] }, [])
        return
      }
      reply(answer, encodeHealthResponse(status))
    }),
    row('Watch', (x, { service, answer }) => watches.add(x, answer, service)),
    row('List', (_x, { answer }) => reply(answer, encodeHealthList(health.all()))),
  ]
}

interface Asked {
  readonly answer: NativeAnswer
  readonly service: string
}

/** google.rpc.Code.NOT_FOUND */
const notFound = 5
/** Names of services are short. */
const maxRequestBytes = 1_024

const policy = openPolicy(healthService)

async function read(x: HttpExchange, method: string): Promise<Asked> {
  x.attributes['rpc.service'] = healthService
  x.attributes['rpc.method'] = method
  const format = wireFormat(x)
  if (format === undefined) {
    throw new GatewayError(
      'UNSUPPORTED_MEDIA_TYPE',
      'Health is asked by gRPC over HTTP/2 or by gRPC-Web; /readyz says the same to others.',
    )
  }
  const bytes = await readMessage(x, format, maxRequestBytes)
  const answer = new NativeAnswer(x, format)
  try {
    return { answer, service: method === 'List' ? '' : decodeHealthRequest(bytes) }
  } catch (cause) {
    throw new GatewayError('INVALID_BODY', 'The message is no HealthCheckRequest.', { cause })
  }
}

function reply(answer: NativeAnswer, message: Uint8Array): void {
  answer.message(message, [])
  answer.end({ code: 0, message: '', trailers: [] }, [])
}
