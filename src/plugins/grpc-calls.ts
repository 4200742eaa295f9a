import type { Registry } from 'prom-client'
import type { Exchange } from '../core/exchange.ts'
import { grpcNumbers } from '../core/reason-entry.ts'
import type { Route } from '../core/route.ts'
import { type Cell, counter, type Family } from './instruments.ts'

/** Counts gRPC calls by how they ended: native clients are answered with HTTP 200 whatever it was. */
export class GrpcCalls {
  readonly #calls: Family<Cell>
  readonly #byRoute = new WeakMap<Route, Cell[]>()

  constructor(registry: Registry) {
    this.#calls = counter(registry, {
      name: 'gateway_grpc_calls_total',
      help: 'Settled calls of gRPC methods, by whichever client, and the status that they ended with.',
      labelNames: ['method', 'code'],
    })
  }

  /** An exchange of the gRPC front-end has settled; one without a status (its client left) is not counted. */
  count({ route, attributes, error }: Exchange): void {
    const status = attributes['rpc.grpc.status_code'] ?? (error && grpcNumbers[error.code])
    if (typeof status !== 'number') return
    let cells = this.#byRoute.get(route)
    if (cells === undefined) {
      cells = []
      this.#byRoute.set(route, cells)
    }
    const known = codes[status] === undefined ? unknownCode : status
    let cell = cells[known]
    if (cell === undefined) {
      cell = this.#calls.labels(route.id, codes[known] ?? 'other')
      cells[known] = cell
    }
    cell.value++
  }
}

/** By number. */
const codes: readonly string[] = ['ok', ...Object.keys(grpcNumbers)]
const unknownCode = codes.length
