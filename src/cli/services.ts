import { askAdmin, listAdmin, sendToAdmin } from './admin-client.ts'
import type { CommandInput } from './command.ts'
import { printTable } from './table.ts'
import { printJson } from './terminal.ts'

interface Instance {
  readonly service: string
  readonly url: string
  readonly weight: number
  readonly ttl: string
  readonly expired: boolean
}

/** `gateway services list`: instances that registered, for upstreams with discovery of type registry. */
export async function listServices(input: CommandInput): Promise<number> {
  const services = (await listAdmin(input, '/services')) as unknown as { instances: Instance[] }[]
  const instances = services.flatMap((service) => service.instances)
  if (input.json) printJson(instances)
  else if (instances.length === 0) console.log('no instance is registered')
  else
    printTable(
      instances.map(({ service, url, weight, ttl, expired }) => ({
        service,
        url,
        weight: String(weight),
        ttl,
        state: expired ? 'not renewed' : 'registered',
      })),
    )
  return 0
}

/** `gateway services register SERVICE URL`. */
export async function registerService(input: CommandInput): Promise<number> {
  const [service = '', url = ''] = input.words
  const { weight, expires } = input.values
  const body = { service, url, ttl: expires, weight: weight === undefined ? undefined : Number(weight) }
  const told = await askAdmin(input, { method: 'POST', path: '/services', body, has: 'url' })
  const { ttl } = told as Instance
  if (input.json) printJson(told)
  else console.log(`${service}: ${url} is registered; it goes unless it is registered again within ${ttl}`)
  return 0
}

/** `gateway services deregister SERVICE URL`. */
export async function deregisterService(input: CommandInput): Promise<number> {
  const [service = '', url = ''] = input.words
  const ask = { method: 'POST', path: '/services:deregister', body: { service, url } } as const
  await sendToAdmin(input, ask, AbortSignal.timeout(30_000))
  if (input.json) printJson({ service, url })
  else console.log(`${service}: ${url} gets no new calls`)
  return 0
}
