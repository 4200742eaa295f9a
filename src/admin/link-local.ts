import { BlockList, isIP } from 'node:net'
import { formatPath } from '../config/problem.ts'
import type { Config } from '../config/schema.ts'
import { GatewayError, type Violation } from '../core/error.ts'

/** Refuses a configuration with {@link linkLocalViolations}. Throws INVALID_ARGUMENT. */
export function refuseLinkLocal(next: Config, running: Config): void {
  const violations = linkLocalViolations(next, running)
  if (violations.length === 0) return
  const text = 'It leads to where machines of a cloud keep their credentials; nothing was changed.'
  throw new GatewayError('INVALID_ARGUMENT', text, { violations })
}

/**
 * The URLs of a configuration that are new against the running one and lead to where machines of a cloud keep their credentials: link-local
 * addresses and the names of metadata services. Who may change the gateway's routes may not read what its machine is trusted with.
 * Empty with `admin.allowLinkLocalTargets` in the running one. What a name resolves to is not looked at.
 */
export function linkLocalViolations(next: Config, running: Config): readonly Violation[] {
  if (running.admin.allowLinkLocalTargets) return []
  const known = new Set(placesOf(running).map(({ url }) => url))
  return placesOf(next)
    .filter(({ url }) => !known.has(url) && isLinkLocal(url))
    .map(({ field }) => ({ field, detail: linkLocalText }))
}

/** What is said of such a target. */
export const linkLocalText =
  'leads to a link-local address or a metadata service, which the admin API does not let in (admin.allowLinkLocalTargets)'

/** Whether a URL's host is a link-local address or the name of a metadata service. */
export function isLinkLocal(url: string): boolean {
  if (!URL.canParse(url)) return false
  const host = new URL(url).hostname
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .toLowerCase()
  const family = isIP(host)
  if (family === 4) return blocked.check(host, 'ipv4')
  if (family === 6) return blocked.check(host, 'ipv6')
  return metadataNames.has(host)
}

const blocked = new BlockList()
// RFC 3927; AWS, Azure, Google and others have 169.254.169.254 there, ECS 169.254.170.2.
blocked.addSubnet('169.254.0.0', 16, 'ipv4')
// RFC 4291 section 2.5.6.
blocked.addSubnet('fe80::', 10, 'ipv6')
// The same by IPv6: of EC2, of Alibaba Cloud's IPv4 one, of Oracle Cloud and others as unique local addresses.
blocked.addAddress('fd00:ec2::254', 'ipv6')
blocked.addAddress('fd20:ce::254', 'ipv6')
blocked.addAddress('100.100.100.200', 'ipv4')
// IPv4 in IPv6: mapped (RFC 4291 section 2.5.5.2), translated (RFC 6052), 6to4 (RFC 3056).
blocked.addSubnet('::ffff:a9fe:0', 112, 'ipv6')
blocked.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6')
blocked.addSubnet('2002:a9fe::', 32, 'ipv6')
blocked.addAddress('::ffff:6464:64c8', 'ipv6')

const metadataNames = new Set([
  'metadata.google.internal',
  'metadata.goog',
  'metadata',
  'instance-data',
  'instance-data.ec2.internal',
  'metadata.azure.internal',
  'metadata.packet.net',
  'metadata.tencentyun.com',
])

interface Place {
  readonly field: string
  readonly url: string
}

/** Every URL in a configuration, whatever it is for (targets, key sets, plugins), and what discovery asks by name. */
function placesOf(value: unknown, path: readonly PropertyKey[] = []): Place[] {
  if (typeof value === 'string') {
    if (value.includes('://')) return [{ field: formatPath(path), url: value }]
    return path[2] === 'discovery' ? [{ field: formatPath(path), url: `http://${value}` }] : []
  }
  if (Array.isArray(value)) return value.flatMap((one, index) => placesOf(one, [...path, index]))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, one]) => placesOf(one, [...path, key]))
}
