import { z } from 'zod'
import { GatewayError } from '../core/error.ts'
import { targetShape } from '../core/target.ts'
import { duration, writtenDuration } from '../core/units.ts'
import type { Instance, ServiceRegistry } from '../discovery/service-registry.ts'
import { type AdminAnswer, type AdminRoute, adminRoute } from './admin-route.ts'
import { changeOf, changeShape, dryAnswer } from './dry-answer.ts'
import { flatInstance, flatInstanceShape, isFlatInstance } from './flat-instance.ts'
import { isLinkLocal, linkLocalText } from './link-local.ts'
import { pageAnswer, pageOf, pageOfSchema, pageQuery } from './page.ts'
import { readFields } from './read-fields.ts'

export interface ServiceRoutesOptions {
  readonly registry: ServiceRegistry
  /** `admin.allowLinkLocalTargets`. */
  allowLinkLocal(): boolean
}

const service = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'is named by up to 63 letters, digits, ".", "_" and "-"')

/** An instance in full. */
export const newInstance = z
  .strictObject({
    service,
    ...targetShape,
    ttl: duration()
      .refine((ms) => ms >= 1_000 && ms <= 86_400_000, 'is from 1s to 24h')
      .prefault('30s')
      .describe('How long it stays without being renewed.'),
  })
  .meta({ id: 'NewInstance' })

const instanceShape = z
  .strictObject({
    service: z.string(),
    url: z.string(),
    weight: z.int(),
    priority: z.int(),
    ttl: z.string(),
    expired: z
      .boolean()
      .describe('Whether it was not renewed in time, and stays as the last of its service.'),
  })
  .meta({ id: 'Instance' })

const madeShape = instanceShape.extend({ warnings: z.array(z.string()).optional() })
const serviceShape = z.strictObject({ id: z.string(), instances: z.array(instanceShape) })
const named = z.strictObject({ service, url: z.string().max(2_048) })
const operation = z.discriminatedUnion('op', [
  newInstance.extend({ op: z.literal('register') }),
  named.extend({ op: z.literal('renew') }),
  named.extend({ op: z.literal('deregister') }),
])

/** `/services`: instances that announce themselves, for upstreams with `discovery: {type: registry}`. */
export function serviceRoutes({ registry, allowLinkLocal }: ServiceRoutesOptions): AdminRoute[] {
  const all = () => registry.services.map((id) => ({ id, instances: shownInstances(registry, id) }))
  const found = (name: string, url: string): Instance => {
    const origin = URL.canParse(url) ? new URL(url).origin : url
    const instance = registry.instances(name).find((one) => one.url === origin)
    if (instance !== undefined) return instance
    throw new GatewayError(
      'NOT_FOUND',
      `No instance ${url.slice(0, 200)} of "${name}" is registered: register it.`,
    )
  }
  const check = ({ url }: { readonly url: string }, field = '/url'): void => {
    if (allowLinkLocal() || !isLinkLocal(url)) return
    throw new GatewayError('INVALID_ARGUMENT', 'The instance cannot be registered.', {
      violations: [{ field, detail: linkLocalText }],
    })
  }
  const register = async ({ service, ttl, ...target }: z.output<typeof newInstance>): Promise<Instance> =>
    await registry.register(service, target, ttl)
  const changeOfNew = (one: z.output<typeof newInstance>) => {
    const before = registry.instances(one.service).find(({ url }) => url === new URL(one.url).origin)
    const after = { ...one, ttl: writtenDuration(one.ttl) }
    return changeOf('services', `${one.service}/${one.url}`, {
      before: before && shown(one.service, before),
      after,
    })
  }
  return [
    adminRoute({
      method: 'GET',
      path: '/services',
      scope: 'read',
      summary: 'Services with their registered instances',
      query: z.strictObject(pageQuery),
      answer: pageOfSchema(serviceShape),
      serve: ({ query }) => pageAnswer(pageOf(all(), query)),
    }),
    adminRoute({
      method: 'GET',
      path: '/services/{service}',
      scope: 'read',
      summary: 'A service with its registered instances',
      answer: serviceShape,
      serve({ params: { service: id = '' } }) {
        const instances = shownInstances(registry, id)
        if (instances.length === 0)
          throw new GatewayError('NOT_FOUND', `No instance of "${id}" is registered.`)
        return { body: { id, instances } }
      },
    }),
    adminRoute({
      method: 'POST',
      path: '/services',
      scope: 'write',
      summary: 'Register an instance, or change it',
      description:
        'In full, or in the flat spelling (`service_name`, `host`, `port`, ...). It has to be renewed within its `ttl`.',
      body: z.record(z.string(), z.unknown()).meta({ component: 'AnyInstance' }),
      status: 201,
      answer: madeShape,
      async serve({ body, dryRun }) {
        const { instance, warnings } = isFlatInstance(body)
          ? flatInstance(readFields(flatInstanceShape, body))
          : { instance: body, warnings: undefined }
        const one = readFields(newInstance, instance)
        check(one)
        const change = changeOfNew(one)
        if (dryRun) return dryAnswer([change], warnings)
        const made = shown(one.service, await register(one))
        return { body: { ...made, warnings }, location: `/services/${one.service}`, changes: [change] }
      },
    }),
    adminRoute({
      method: 'POST',
      path: '/services:renew',
      scope: 'write',
      summary: 'A heartbeat of an instance',
      body: named,
      answer: instanceShape,
      async serve({ body: { service, url }, dryRun }): Promise<AdminAnswer> {
        found(service, url)
        if (!dryRun) await registry.renew(service, url)
        return dryRun ? dryAnswer([]) : { body: shown(service, found(service, url)), unnoted: true }
      },
    }),
    adminRoute({
      method: 'POST',
      path: '/services:deregister',
      scope: 'write',
      summary: 'Take an instance out: no new calls go to it',
      body: named,
      async serve({ body: { service, url }, dryRun }): Promise<AdminAnswer> {
        const change = changeOf('services', `${service}/${url}`, {
          before: shown(service, found(service, url)),
        })
        if (dryRun) return dryAnswer([change])
        await registry.deregister(service, url)
        return { changes: [change] }
      },
    }),
    adminRoute({
      method: 'POST',
      path: '/services:batch',
      scope: 'write',
      summary: 'Register, renew and deregister several instances',
      description:
        'All are checked before the first is done; instances to renew or deregister that are not there are in `missing`.',
      body: z.strictObject({ operations: z.array(operation).min(1).max(1_000) }),
      answer: z.strictObject({ changes: z.array(changeShape), renewed: z.int(), missing: z.array(named) }),
      async serve({ body: { operations }, dryRun }): Promise<AdminAnswer> {
        for (const [index, one] of operations.entries())
          if (one.op === 'register') check(one, `/operations/${index}/url`)
        const changes = operations.flatMap(({ op, ...one }) =>
          op === 'register' ? [changeOfNew(one as never)] : [],
        )
        if (dryRun) return dryAnswer(changes)
        const missing: object[] = []
        let renewed = 0
        for (const { op, ...one } of operations) {
          if (op === 'register') await register(one as z.output<typeof newInstance>)
          else if (op === 'deregister') {
            const [before] = shownInstances(registry, one.service).filter(
              ({ url }) => url === new URL(one.url).origin,
            )
            if (await registry.deregister(one.service, one.url))
              changes.push(changeOf('services', `${one.service}/${one.url}`, { before }))
            else missing.push(one)
          } else if (await registry.renew(one.service, one.url)) renewed++
          else missing.push(one)
        }
        return { body: { changes, renewed, missing }, changes, unnoted: changes.length === 0 }
      },
    }),
  ]
}

type ShownInstance = z.output<typeof instanceShape>

function shownInstances(registry: ServiceRegistry, service: string): ShownInstance[] {
  return registry.instances(service).map((instance) => shown(service, instance))
}

function shown(service: string, { url, weight, priority, ttlMs, expired }: Instance): ShownInstance {
  return { service, url, weight, priority, ttl: writtenDuration(ttlMs), expired }
}
