import { clientTls } from './client-tls.ts'
import type { UpstreamConfig } from './config/schema.ts'
import { DnsClient } from './discovery/dns/dns-client.ts'
import { DnsProvider } from './discovery/dns/dns-provider.ts'
import { lookUpAddresses, lookUpServices } from './discovery/dns/lookups.ts'
import { EtcdProvider } from './discovery/etcd/etcd-provider.ts'
import type { Provider } from './discovery/provider.ts'
import { RegistryProvider } from './discovery/registry-provider.ts'
import type { ServiceRegistry } from './discovery/service-registry.ts'

type DiscoveryConfig = NonNullable<UpstreamConfig['discovery']>

/** What finds the targets of an upstream. */
export function providerOf(config: DiscoveryConfig, registry: ServiceRegistry): Provider {
  switch (config.type) {
    case 'dns':
    case 'dnsSrv':
      return dnsProvider(config)
    case 'etcd':
      return etcdProvider(config)
    case 'registry':
      return new RegistryProvider(registry, config.service)
  }
}

/** For one question to one DNS server, in milliseconds; as long as c-ares waits at first. */
const dnsTimeoutMs = 2_000

function dnsProvider(config: DiscoveryConfig & { readonly type: 'dns' | 'dnsSrv' }): Provider {
  const closing = new AbortController()
  const { servers, refresh } = config
  const client = new DnsClient({ servers, timeoutMs: dnsTimeoutMs, signal: closing.signal })
  return new DnsProvider({
    lookup: () => (config.type === 'dns' ? lookUpAddresses(client, config) : lookUpServices(client, config)),
    refresh: { minMs: refresh.min, maxMs: refresh.max },
    closing,
  })
}

function etcdProvider({ tls, ...config }: DiscoveryConfig & { readonly type: 'etcd' }): Provider {
  const { endpoints, prefix, user, password } = config
  return new EtcdProvider({
    endpoints,
    prefix,
    user,
    password,
    tls: clientTls(tls),
    timeoutMs: config.timeout,
    resyncMs: config.resync,
  })
}
