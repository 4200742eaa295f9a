import type { Target } from '../../core/target.ts'
import { type DnsClient, NoRecords, type Records } from './dns-client.ts'
import type { Lookup } from './dns-provider.ts'

/** What is looked up. */
export interface LookupOptions {
  readonly name: string
  /** Of which kinds addresses are taken. */
  readonly records: readonly ('A' | 'AAAA')[]
  readonly scheme: 'http' | 'https'
}

/** Every address of a name is a target, all at one port. */
export async function lookUpAddresses(
  client: DnsClient,
  { name, records, scheme, port }: LookupOptions & { readonly port: number },
): Promise<Lookup> {
  const { data, ttlSeconds } = await addressesOf(client, name, records)
  const targets = data.map((address) => ({ url: urlOf(scheme, address, port), weight: 100, priority: 0 }))
  return { targets, ttlSeconds }
}

/**
 * Every address of every service that a name lists is a target (RFC 2782). Its priority is that of the service. The weight counts in hundreds
 * and is shared by the addresses; a weight of 0 counts as one: "a very small chance of being selected" where others have more.
 */
export async function lookUpServices(
  client: DnsClient,
  { name, records, scheme }: LookupOptions,
): Promise<Lookup> {
  const services = await client.services(name)
  if (services.data.every(({ target }) => target === '.'))
    throw new NoRecords(`${name} says that the service is not available (target ".", RFC 2782)`)
  let { ttlSeconds } = services
  const skipped: string[] = []
  const targets: Target[] = []
  const found = await Promise.all(
    services.data.map(async (service) => {
      try {
        return { ...service, ...(await addressesOf(client, service.target, records)) }
      } catch (error) {
        if (!(error instanceof NoRecords)) throw error
        skipped.push(`${service.target}:${service.port}: ${error.message}`)
        return undefined
      }
    }),
  )
  for (const { data, port, weight = 0, priority = 0, ...service } of found.filter(
    (one) => one !== undefined,
  )) {
    ttlSeconds = Math.min(ttlSeconds, service.ttlSeconds)
    const each = weight === 0 ? 1 : (weight * 100) / data.length
    for (const address of data) targets.push({ url: urlOf(scheme, address, port), weight: each, priority })
  }
  if (targets.length === 0) throw new NoRecords(`no service of ${name} has an address: ${skipped[0]}`)
  return { targets, ttlSeconds, skipped: skipped.sort() }
}

/** Of all kinds that are asked for; it is enough when there are some of one kind. */
async function addressesOf(
  client: DnsClient,
  name: string,
  types: LookupOptions['records'],
): Promise<Records<string>> {
  const found: Records<string>[] = []
  let missing: NoRecords | undefined
  for (const result of await Promise.allSettled(types.map((type) => client.addresses(name, type)))) {
    if (result.status === 'fulfilled') found.push(result.value)
    else if (result.reason instanceof NoRecords) missing = result.reason
    else throw result.reason
  }
  if (found.length === 0) throw missing ?? new NoRecords(`${name} is not looked up`)
  return {
    data: found.flatMap(({ data }) => data),
    ttlSeconds: Math.min(...found.map(({ ttlSeconds }) => ttlSeconds)),
  }
}

function urlOf(scheme: 'http' | 'https', address: string, port: number): string {
  return new URL(`${scheme}://${address.includes(':') ? `[${address}]` : address}:${port}`).origin
}
