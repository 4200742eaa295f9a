import { lookup, resolveSrv } from 'node:dns/promises'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Config, UpstreamConfig } from '../../config/schema.ts'
import { messageOf } from '../../core/message-of.ts'
import { tlsConnectOptions } from '../../traffic/upstream-tls.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

const connectMs = 3_000

/** Whether the backends can be reached: a connection to each, with TLS where they speak it, and no request. */
export async function lookAtUpstreams({ upstreams }: Config): Promise<Finding[]> {
  const all = Object.entries(upstreams).map(([name, upstream]) =>
    upstream.targets === undefined ? lookAtDiscovery(name, upstream) : lookAtTargets(name, upstream),
  )
  return (await Promise.all(all)).flat()
}

/** What is connected to. */
interface Targets {
  readonly targets?: readonly { readonly url: string }[] | undefined
  readonly tls?: UpstreamConfig['tls']
}

async function lookAtTargets(name: string, { targets = [], tls }: Targets): Promise<Finding[]> {
  const troubles = await Promise.all(targets.map(({ url }) => troubleReaching(url, tls)))
  const allGone = troubles.every((trouble) => trouble !== undefined)
  return targets.map(({ url }, index) => {
    const trouble = troubles[index]
    if (trouble === undefined) return ok('upstream', `${name}: ${url} answers`)
    const says = `${name}: ${url} cannot be reached: ${trouble}`
    return allGone
      ? fail('upstream', says, `start it, or correct upstreams.${name}.targets; none of its targets is there`)
      : warn('upstream', says, 'start it; the other targets serve without it')
  })
}

async function lookAtDiscovery(name: string, { discovery, tls }: UpstreamConfig): Promise<Finding[]> {
  try {
    if (discovery?.type === 'dns') {
      const found = await lookup(discovery.name, { all: true })
      return [
        ok(
          'upstream',
          `${name}: ${discovery.name} leads to ${found.map(({ address }) => address).join(', ')}`,
        ),
      ]
    }
    if (discovery?.type === 'dnsSrv') {
      const found = await resolveSrv(discovery.name)
      return [ok('upstream', `${name}: ${discovery.name} leads to ${found.length} targets`)]
    }
    if (discovery?.type === 'etcd') {
      const targets = discovery.endpoints.map((url) => ({ url }))
      return await lookAtTargets(`${name} (etcd)`, { targets, tls: discovery.tls ?? tls })
    }
    return [ok('upstream', `${name}: its instances register themselves`)]
  } catch (error) {
    return [
      fail('upstream', `${name}: ${messageOf(error)}`, `correct upstreams.${name}.discovery, or the DNS`),
    ]
  }
}

/** Undefined: a connection was made. */
function troubleReaching(url: string, tls: UpstreamConfig['tls']): Promise<string | undefined> {
  const { protocol, hostname, port } = new URL(url)
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  const isTls = protocol === 'https:'
  const place = { host, port: Number(port) || (isTls ? 443 : 80) }
  const socket: Socket = isTls ? connectTls({ ...place, ...tlsConnectOptions(url, tls) }) : connectTcp(place)
  return new Promise<string | undefined>((resolve) => {
    socket.setTimeout(connectMs, () => resolve(`no answer within ${connectMs / 1_000} s`))
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    socket.once(isTls ? 'secureConnect' : 'connect', () => resolve(undefined))
  }).finally(() => socket.destroy())
}
