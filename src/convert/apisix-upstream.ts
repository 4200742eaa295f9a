import { duration, type Json, known } from './draft.ts'
import type { Reader } from './reader.ts'

/** When something was made there. */
export const times = ['create_time', 'update_time']

/** An entry of `upstreams`, or one that stands in a route or service. */
export function convertUpstream(upstream: Reader): Json {
  upstream.skip('id', 'name', 'desc', 'labels', 'hash_on', 'retry_timeout', 'keepalive_pool', ...times)
  const scheme = upstream.text('scheme') ?? 'http'
  if (!scheme.startsWith('http'))
    upstream.note(`"${scheme}" is taken as http: gRPC services stand under grpc.services`, 'scheme')
  if (upstream.text('pass_host') !== undefined && upstream.text('pass_host') !== 'node')
    upstream.note("upstreams get their own Host; the client's is in X-Forwarded-Host", 'pass_host')
  const policies = { chash: 'consistentHash', least_conn: 'leastConnections', ewma: 'peakEwma' }
  const policy = policies[upstream.text('type') as keyof typeof policies]
  const key = upstream.text('key')
  if (policy === 'consistentHash' && key !== undefined && key !== 'remote_addr')
    upstream.note('see loadBalancing.hashOn', 'key')
  const retries = upstream.number('retries')
  const timeout = upstream.child('timeout')
  const [connect, read] = [timeout?.number('connect'), timeout?.number('read')]
  timeout?.skip('send')
  const active = upstream.child('checks')?.child('active')
  const interval = active?.child('healthy')?.number('interval')
  const health =
    active === undefined
      ? undefined
      : known({
          path: active.text('http_path'),
          interval: interval === undefined ? undefined : `${interval}s`,
        })
  const result = known({
    targets: targetsOf(upstream, scheme.endsWith('s') ? 'https' : 'http'),
    loadBalancing:
      policy === undefined
        ? undefined
        : known({ policy, hashOn: policy === 'consistentHash' ? ['ip'] : undefined }),
    retry: retries === undefined ? undefined : { attempts: retries + 1 },
    timeouts:
      timeout === undefined
        ? undefined
        : known({ connect: seconds(connect), request: seconds(read), perTry: seconds(read) }),
    healthChecks: health === undefined ? undefined : { active: health },
  })
  upstream.finish()
  return result
}

/** `{"host:port": weight}`, or a list of `{host, port, weight, priority}`. */
function targetsOf(upstream: Reader, protocol: string): Json[] {
  const port = protocol === 'https' ? 443 : 80
  const url = (place: string): string => `${protocol}://${/:\d+$/.test(place) ? place : `${place}:${port}`}`
  const found = Array.isArray(upstream.raw('nodes'))
    ? upstream.children('nodes').map((node) => {
        const place = `${node.text('host') ?? ''}:${node.number('port') ?? port}`
        const target = known({
          url: url(place),
          weight: node.number('weight'),
          priority: node.number('priority'),
        })
        node.finish()
        return target
      })
    : (upstream.child('nodes')?.keys ?? []).map((place) =>
        known({ url: url(place), weight: upstream.child('nodes')?.number(place) }),
      )
  if (found.length === 0)
    upstream.note('has no nodes: targets of service discovery are written in upstreams.<name>.discovery')
  return found.length > 0 ? found : [{ url: 'http://127.0.0.1:1' }]
}

/** `15s`; undefined stays so. */
export function seconds(value: number | undefined): string | undefined {
  return value === undefined ? undefined : duration(value * 1_000)
}
