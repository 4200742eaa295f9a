import { GatewayError } from './core/error.ts'
import type { FrontEnd } from './core/front-end.ts'
import type { HttpExchange } from './core/http-exchange.ts'
import type { Plugin } from './core/plugin.ts'
import { openPolicy } from './core/policy.ts'
import type { Row } from './core/route.ts'
import { NativeAnswer } from './front-ends/grpc/native/native-answer.ts'
import { refusalFormat } from './front-ends/grpc/native/wire-format.ts'
import { refuseWithProblem } from './front-ends/problem.ts'
import type { Plan } from './listener/listener.ts'
import { compileHooks } from './pipeline/plan.ts'

/** What requests meet that no row takes: the global plugins, and refusals in RFC 9457's words, or gRPC's for those who speak it. */
export function unroutedPlan(shared: readonly Plugin[], nameOf: (plugin: Plugin) => string): Plan {
  const frontEnd: FrontEnd = { name: 'rest', rows: [], refuse, close: async () => {} }
  const row: Row = {
    id: 'unrouted',
    protocol: 'rest',
    template: '',
    policy: openPolicy('unrouted'),
    methods: [],
    hosts: [],
    headers: [],
    query: [],
    priority: 0,
    encodedSlash: true,
    frontEnd,
    origin: 'the gateway',
    serve: () => {},
  }
  return { row, hooks: compileHooks(shared, nameOf) }
}

function refuse(x: HttpExchange, error: GatewayError): void {
  const format = refusalFormat(x)
  if (format === undefined) refuseWithProblem(x, error)
  else new NativeAnswer(x, format).refuse(asGrpcHasIt(error))
}

/** To gRPC a path that there is not is a method that there is not (gRPC http-grpc-status-mapping.md: 404 is UNIMPLEMENTED). */
function asGrpcHasIt(error: GatewayError): GatewayError {
  const { reason, message, headers } = error
  const unknown = reason === 'ROUTE_NOT_FOUND' || reason === 'METHOD_NOT_ALLOWED'
  return unknown ? new GatewayError('NOT_IMPLEMENTED', message, { headers }) : error
}
