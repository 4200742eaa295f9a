import { type Draft, duration, type Json, known } from './draft.ts'
import { labels } from './kong-labels.ts'
import type { Reader } from './reader.ts'

/** A service, and the upstream of the name of its host, become one upstream of ours. */
export function convertService(
  draft: Draft,
  service: Reader,
  {
    name,
    pools,
    unused,
  }: { readonly name: string; readonly pools: ReadonlyMap<string, Reader>; readonly unused: Set<string> },
): { upstream: string; prefix: string } {
  service.skip(...labels, 'write_timeout', 'tls_verify_depth')
  if (service.flag('enabled') === false) service.note('is disabled there, and enabled here', 'enabled')
  const url = new URL(service.text('url') ?? urlOf(service))
  const pool = pools.get(url.hostname)
  const upstream = draft.id('upstream', name)
  const [connect, read, retries] = [
    service.number('connect_timeout'),
    service.number('read_timeout'),
    service.number('retries'),
  ]
  const timeouts = known({
    connect: connect === undefined ? undefined : duration(connect),
    request: read === undefined ? undefined : duration(read),
    perTry: read === undefined ? undefined : duration(read),
  })
  unused.delete(url.hostname)
  draft.upstreams[upstream] = known({
    targets: pool === undefined ? [{ url: url.origin }] : targetsOf(pool, url.protocol),
    ...(pool === undefined ? {} : poolOptions(pool)),
    timeouts: Object.keys(timeouts).length > 0 ? timeouts : undefined,
    retry: retries === undefined ? undefined : { attempts: retries + 1 },
    tls: service.flag('tls_verify') === false ? { insecureSkipVerify: true } : undefined,
  })
  return { upstream, prefix: url.pathname.replace(/\/$/, '') }
}

function urlOf(service: Reader): string {
  const protocol = service.text('protocol') ?? 'http'
  const port = service.number('port') ?? (protocol.startsWith('https') ? 443 : 80)
  if (!protocol.startsWith('http'))
    service.note(`"${protocol}" is taken as http: gRPC services stand under grpc.services`, 'protocol')
  return `${protocol.startsWith('https') ? 'https' : 'http'}://${service.text('host') ?? 'localhost'}:${port}${service.text('path') ?? ''}`
}

function targetsOf(pool: Reader, protocol: string): Json[] {
  const targets = pool.children('targets').map((target) => {
    target.skip(...labels)
    const [place = '', weight] = [target.text('target') ?? '', target.number('weight')]
    target.finish()
    return known({ url: `${protocol}//${/:\d+$/.test(place) ? place : `${place}:8000`}`, weight })
  })
  if (targets.length === 0) pool.note('has no targets')
  return targets
}

function poolOptions(pool: Reader): Json {
  pool.skip(...labels, 'name', 'slots', 'host_header', 'hash_fallback', 'use_srv_name')
  const policies = {
    'consistent-hashing': 'consistentHash',
    'least-connections': 'leastConnections',
    latency: 'peakEwma',
  }
  const policy = policies[pool.text('algorithm') as keyof typeof policies]
  const on = pool.text('hash_on') ?? 'none'
  const hashes = { consumer: 'user', ip: 'ip' }
  const hashOn = hashes[on as keyof typeof hashes]
  if (on !== 'none' && hashOn === undefined) pool.note('see loadBalancing.hashOn', 'hash_on')
  const active = pool.child('healthchecks')?.child('active')
  const path = active?.child('healthy')?.number('interval') ? (active.text('http_path') ?? '/') : undefined
  const interval = active?.child('healthy')?.number('interval')
  if (pool.child('healthchecks')?.has('passive') === true)
    pool.note('passive health checks are on by default here: look at healthChecks.passive', 'healthchecks')
  pool.finish()
  return known({
    loadBalancing:
      policy === undefined
        ? undefined
        : known({
            policy,
            hashOn: policy === 'consistentHash' && hashOn !== undefined ? [hashOn] : undefined,
          }),
    healthChecks:
      path === undefined
        ? undefined
        : { active: known({ path, interval: interval === undefined ? undefined : `${interval}s` }) },
  })
}
