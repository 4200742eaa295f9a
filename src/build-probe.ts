import type { UpstreamConfig } from './config/schema.ts'
import type { Probe } from './traffic/health-check.ts'
import { httpProbe, type StatusRange } from './traffic/http-probe.ts'
import { tcpProbe } from './traffic/tcp-probe.ts'

type ProbeConfig = NonNullable<UpstreamConfig['healthChecks']['active']>

/** How the targets of an upstream are asked. */
export function probeOf({ type, service, timeout: timeoutMs, statuses, ...http }: ProbeConfig): Probe {
  if (type === 'grpc') return grpcProbe({ service, timeoutMs })
  if (type === 'tcp') return tcpProbe({ timeoutMs })
  return httpProbe({ ...http, statuses: statuses.map(statusRange), timeoutMs })
}

/** `204`, or `200-299`. */
function statusRange(written: number | string): StatusRange {
  const [from = 0, to = from] = String(written).split('-').map(Number)
  return { from, to }
}

/** Its module is loaded by the first probe, because gRPC is loaded only where it is used. */
function grpcProbe(options: { readonly service: string; readonly timeoutMs: number }): Probe {
  let loaded: Promise<Probe> | undefined
  const load = async (): Promise<Probe> => {
    const { GrpcProbe } = await import('./front-ends/grpc/health/grpc-probe.ts')
    return new GrpcProbe(options)
  }
  return {
    probe: async (endpoint) => {
      loaded ??= load()
      return (await loaded).probe(endpoint)
    },
    close: () => void loaded?.then((probe) => probe.close()),
  }
}
