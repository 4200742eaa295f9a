import { startDnsmasq } from '../services/dnsmasq.ts'
import { startEtcd } from '../services/etcd.ts'
import { freePort } from '../services/free-port.ts'
import { allAnswered, recovers } from './aims.ts'
import type { ChaosBackend, ThreeBackends } from './chaos-backend.ts'
import { keptFolder } from './kept-folder.ts'
import type { UpstreamName } from './request-kinds.ts'
import type { Provider, Scenario } from './scenario.ts'

/** What the gateway finds its targets by is gone for a while. */
export const providerScenarios: readonly Scenario[] = [
  gone('dns-gone', 'the DNS server is killed, and started again later with one more backend', dns),
  gone('etcd-gone', 'etcd is killed, and started again later with one more backend', etcd),
]

function gone(name: string, about: string, provide: NonNullable<Scenario['provide']>): Scenario {
  return {
    name,
    about,
    provide,
    aims: [allAnswered, recovers],
    async run(stage, provider) {
      await provider.takeAway()
      await stage.stay()
      await provider.bringBack()
      await stage.inUse(stage.backends[2])
    },
  }
}

const upstreamNames: readonly UpstreamName[] = ['rest', 'graphql', 'grpc']

/** Of an instance, by the upstream that it is one of. */
function urlOf({ httpUrl, grpcUrl }: ChaosBackend, name: UpstreamName): string {
  return name === 'grpc' ? grpcUrl : httpUrl
}

async function dns(backends: ThreeBackends, resources: AsyncDisposableStack): Promise<Provider> {
  const port = await freePort()
  const records = (known: readonly ChaosBackend[]): string[] => [
    '--host-record=things.internal,127.0.0.1',
    '--local-ttl=1',
    ...known.flatMap((backend) =>
      upstreamNames.map(
        (name) =>
          `--srv-host=_${name}._tcp.things.internal,things.internal,${new URL(urlOf(backend, name)).port}`,
      ),
    ),
  ]
  let running = await startDnsmasq(records(backends.slice(0, 2)), { port })
  resources.defer(() => running.kill())
  return {
    targets: (name) => ({
      discovery: {
        type: 'dnsSrv',
        name: `_${name}._tcp.things.internal`,
        servers: [`127.0.0.1:${port}`],
        refresh: { min: '500ms', max: '1s' },
      },
    }),
    takeAway: () => running.kill(),
    async bringBack() {
      running = await startDnsmasq(records(backends), { port })
    },
  }
}

async function etcd(backends: ThreeBackends, resources: AsyncDisposableStack): Promise<Provider> {
  const data = await keptFolder('chaos-etcd', resources)
  let running = await startEtcd({ data })
  resources.defer(() => running.kill())
  const { url, port } = running
  const register = async (backend: ChaosBackend): Promise<void> => {
    for (const name of upstreamNames) await running.put(`/${name}/${backend.name}`, urlOf(backend, name))
  }
  await register(backends[0])
  await register(backends[1])
  return {
    targets: (name) => ({ discovery: { type: 'etcd', endpoints: [url], prefix: `/${name}/` } }),
    takeAway: () => running.kill(),
    async bringBack() {
      running = await startEtcd({ data, port })
      await register(backends[2])
    },
  }
}
