import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../services/free-port.ts'
import { type OwnNode, startOwnNode } from '../services/own-node.ts'
import { ownFolder } from '../services/own-process.ts'
import type { ChaosBackend } from './chaos-backend.ts'
import type { UpstreamName } from './request-kinds.ts'

/** The keys by which an upstream finds its targets. */
export type Targets = (name: UpstreamName, urls: readonly string[]) => object

/** A gateway in a process of its own, and what it says of its targets. */
export interface ChaosGateway extends OwnNode {
  /** Its log so far, oldest first: changes of health and the like, no line for a request. */
  changes(): Promise<Change[]>
}

/** A line of its log. */
export interface Change {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly message: string
  readonly upstream: string
  readonly target: string
  readonly reason: string
}

/** Whether a line of the gateway's log says that a target gets no more calls. */
export function isTakenOut(message: string): boolean {
  return message === 'target is ejected' || message === 'target is unhealthy'
}

/** The knobs of docs/reliability.md: what decides how soon a fault is noticed, and how much is done about it. */
export interface Knobs {
  readonly probeIntervalMs: number
  readonly probeTimeoutMs: number
  readonly perTryMs: number
  readonly requestMs: number
  /** Second tries that are allowed whatever the load was. */
  readonly triesPerSecond: number
}

/** What a gateway is started in front of. */
export interface ChaosGatewayOptions {
  readonly backends: readonly ChaosBackend[]
  readonly targets: Targets
  /** More keys of each upstream. */
  readonly keys?: object | undefined
  readonly knobs: Knobs
}

/** Starts it; resolves when it accepts connections. */
export async function startChaosGateway(options: ChaosGatewayOptions): Promise<ChaosGateway> {
  const port = await freePort()
  const folder = await ownFolder('chaos-gateway')
  const file = join(folder, 'gateway.yaml')
  const output = join(folder, 'log')
  // JSON is YAML.
  await writeFile(file, JSON.stringify(configOf(port, options), undefined, 2))
  const node = await startOwnNode({
    file: 'src/main.ts',
    args: ['start', '--config', file],
    port,
    folder,
    output,
  })
  return { ...node, changes: async () => changesIn(await readFile(output, 'utf8')) }
}

function configOf(port: number, { backends, targets, keys, knobs }: ChaosGatewayOptions): object {
  const here = import.meta.dirname
  const http = backends.map(({ httpUrl }) => httpUrl)
  const grpc = backends.map(({ grpcUrl }) => grpcUrl)
  const upstream = (name: UpstreamName, urls: readonly string[], type: 'http' | 'grpc'): object => ({
    timeouts: { perTry: `${knobs.perTryMs}ms`, request: `${knobs.requestMs}ms` },
    retry: { budget: { minPerSecond: knobs.triesPerSecond } },
    healthChecks: {
      active: { type, interval: `${knobs.probeIntervalMs}ms`, timeout: `${knobs.probeTimeoutMs}ms` },
    },
    ...targets(name, urls),
    ...keys,
  })
  return {
    server: {
      listen: `127.0.0.1:${port}`,
      // A gateway that gets no turn on a busy machine would refuse requests: it is the backends that are tried here.
      overload: { eventLoopDelay: '0s', heapPercent: 0 },
    },
    plugins: ['requestId', 'metrics'],
    upstreams: {
      rest: upstream('rest', http, 'http'),
      graphql: upstream('graphql', http, 'http'),
      grpc: upstream('grpc', grpc, 'grpc'),
    },
    routes: [{ id: 'things', path: '/things/**', upstream: 'rest', auth: 'none' }],
    graphql: {
      subgraphs: { things: { upstream: 'graphql', schema: join(here, 'things.graphql') } },
      // Each request meets a backend of its own, as those of the other protocols do.
      sharing: { fetches: false },
      auth: 'none',
    },
    grpc: {
      protos: [join(here, 'things.proto')],
      services: { 'chaos.v1.Things': { upstream: 'grpc', auth: 'none' } },
    },
  }
}

function changesIn(log: string): Change[] {
  const lines = log.split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line) as LogLine).flatMap(changeOf)
}

type LogLine = Readonly<Record<string, string | undefined>>

/** None where a line is about no upstream. */
function changeOf(line: LogLine): Change[] {
  const { timestamp = '', message = '', reason = '', 'gateway.upstream': upstream } = line
  if (upstream === undefined) return []
  const target = URL.parse(line['gateway.target'] ?? '')?.host ?? ''
  return [{ at: Date.parse(timestamp), message, upstream, target, reason }]
}
