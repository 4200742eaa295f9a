import type { Registry } from 'prom-client'
import type { CountMessages } from '../front-ends/grpc/rpc-transport.ts'
import { counter } from '../plugins/instruments.ts'

/** Counts the messages of gRPC calls; their methods are those of the configuration. */
export function grpcMessages(registry: Registry): CountMessages {
  const family = counter(registry, {
    name: 'gateway_grpc_messages_total',
    help: 'Messages that were sent to gRPC backends and received from them, each attempt by itself.',
    labelNames: ['method', 'direction'],
  })
  const byPath = new Map<string, ReturnType<CountMessages>>()
  return (path) => {
    let cells = byPath.get(path)
    if (cells === undefined) {
      const method = path.slice(1)
      cells = { sent: family.labels(method, 'sent'), received: family.labels(method, 'received') }
      byPath.set(path, cells)
    }
    return cells
  }
}
