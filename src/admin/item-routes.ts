import { z } from 'zod'
import type { ItemKind } from '../control/change.ts'
import type { ControlPlane } from '../control/control-plane.ts'
import { GatewayError } from '../core/error.ts'
import { type AdminRoute, adminRoute } from './admin-route.ts'
import { flatRoute, isFlatRoute } from './flat-route.ts'
import { pageAnswer, pageOf, pageOfSchema, pageQuery } from './page.ts'
import { itemAnswer, shownItem, writeOptions, writtenAnswer, writtenShape } from './written-answer.ts'

export interface ItemRoutesOptions {
  readonly control: ControlPlane
  /** How the targets of each upstream are, by its name. */
  upstreams(): Promise<Readonly<Record<string, object>>>
}

/** The named things of the configuration: how people call one of them, and its schema in the OpenAPI document. */
const resources: readonly { readonly kind: ItemKind; readonly one: string; readonly component: string }[] = [
  { kind: 'routes', one: 'a route', component: 'Route' },
  { kind: 'upstreams', one: 'an upstream', component: 'Upstream' },
  { kind: 'consumers', one: 'a consumer', component: 'Consumer' },
  { kind: 'plugins', one: 'a plugin for every route', component: 'PluginOptions' },
  { kind: 'subgraphs', one: 'a subgraph', component: 'Subgraph' },
  { kind: 'grpcServices', one: 'a gRPC service', component: 'GrpcService' },
]

const itemShape = z
  .looseObject({ id: z.string() })
  .meta({ id: 'Item', description: 'As it is written in the configuration, secrets masked.' })

/** `/routes`, `/upstreams`, `/consumers`, `/plugins`, `/subgraphs`, `/grpcServices`: one thing of the configuration at a time. */
export function itemRoutes(options: ItemRoutesOptions): AdminRoute[] {
  return resources.flatMap((resource) => [
    ...readRoutes(resource, options),
    ...writeRoutes(resource, options),
  ])
}

type Resource = (typeof resources)[number]

function readRoutes({ kind, one }: Resource, { control, upstreams }: ItemRoutesOptions): AdminRoute[] {
  const withStatus = kind === 'upstreams' ? upstreams : async (): Promise<Record<string, object>> => ({})
  const shown = (item: { id: string; value: unknown }, states: Readonly<Record<string, object>>): object => {
    const status = Object.hasOwn(states, item.id) ? { status: states[item.id] } : {}
    return { ...shownItem(kind, item), ...status }
  }
  return [
    adminRoute({
      method: 'GET',
      path: `/${kind}`,
      scope: 'read',
      summary: `All ${kind}`,
      query: z.strictObject({
        ...pageQuery,
        'filter[id]': z.string().optional().describe('A part of its id.'),
      }),
      answer: pageOfSchema(itemShape),
      async serve({ query }) {
        const part = query['filter[id]'] ?? ''
        const page = pageOf(
          control.items(kind).filter(({ id }) => id.includes(part)),
          query,
        )
        const states = await withStatus()
        return pageAnswer({ ...page, items: page.items.map((item) => shown(item, states)) })
      },
    }),
    adminRoute({
      method: 'GET',
      path: `/${kind}/{id}`,
      scope: 'read',
      summary: `Show ${one}`,
      also: [304],
      answer: itemShape,
      async serve({ params: { id = '' } }) {
        const item = control.items(kind).find((item) => item.id === id)
        if (item === undefined) throw new GatewayError('NOT_FOUND', `There is no "${id}" in ${kind}.`)
        return { body: shown(item, await withStatus()), etag: item.etag }
      },
    }),
  ]
}

function writeRoutes({ kind, one, component }: Resource, { control }: ItemRoutesOptions): AdminRoute[] {
  const anything = z.record(z.string(), z.unknown())
  const full = anything.meta({ component })
  const answer = writtenShape
  return [
    adminRoute({
      method: 'POST',
      path: `/${kind}`,
      scope: 'write',
      summary: `Create ${one}`,
      description: kind === 'routes' ? flatDescription : 'Its `id` is sent with it.',
      query: z.strictObject({
        before: z.string().optional().describe('The id of the one before which it stands.'),
      }),
      body: anything.meta({ component: kind === 'routes' ? 'NewRoute' : `New${component}` }),
      status: 201,
      also: [200],
      answer,
      async serve(call) {
        const { body, query } = call
        if (kind === 'routes' && isFlatRoute(body)) {
          const { id, edits } = flatRoute(body, control.items('upstreams'))
          const written = await control.write(edits, writeOptions(call))
          return itemAnswer(control, { kind, id }, written, call.dryRun)
        }
        const id = newId(body)
        const edit = {
          op: 'create',
          kind,
          id,
          value: sentValue(kind, body, id),
          before: query.before,
        } as const
        return itemAnswer(control, edit, await control.write([edit], writeOptions(call)), call.dryRun)
      },
    }),
    ...(['PUT', 'PATCH'] as const).map((method) =>
      adminRoute({
        method,
        path: `/${kind}/{id}`,
        scope: 'write',
        summary: method === 'PUT' ? `Put ${one} in place` : `Change ${one}`,
        description:
          method === 'PUT'
            ? 'Makes it when there is none of this id.'
            : 'RFC 7396: `null` takes a member away.',
        body: method === 'PUT' ? full : anything,
        ...(method === 'PUT' && { also: [201] }),
        answer,
        async serve(call) {
          const { id = '' } = call.params
          const op: 'put' | 'patch' = method === 'PUT' ? 'put' : 'patch'
          const edit = { op, kind, id, value: sentValue(kind, call.body, id) }
          return itemAnswer(control, edit, await control.write([edit], writeOptions(call)), call.dryRun)
        },
      }),
    ),
    adminRoute({
      method: 'DELETE',
      path: `/${kind}/{id}`,
      scope: 'write',
      summary: `Delete ${one}`,
      description: 'Refused (409) while something refers to it.',
      answer,
      async serve(call) {
        const { id = '' } = call.params
        return writtenAnswer(await control.write([{ op: 'delete', kind, id }], writeOptions(call)))
      },
    }),
  ]
}

const flatDescription =
  'In full, as it stands in the configuration, or in the flat spelling (`service_name`, `path_pattern`, ...); the answer shows the full one that it became.'

function newId({ id }: Readonly<Record<string, unknown>>): string {
  if (typeof id === 'string' && id !== '') return id
  const violations = [{ field: '/id', detail: 'must be a text: what it is called' }]
  throw new GatewayError('INVALID_ARGUMENT', 'What is created needs an id.', { violations })
}

/** What people send back as it was shown to them: its name stands elsewhere, and how it is doing is not theirs to say. */
export function sentValue(kind: ItemKind, sent: unknown, id: string): unknown {
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) return sent
  const { id: named, ...value } = sent as Record<string, unknown>
  if (named !== undefined && named !== id) {
    const violations = [{ field: '/id', detail: `is not "${id}": what is there keeps its name` }]
    throw new GatewayError('INVALID_ARGUMENT', 'The id in what was sent is another.', { violations })
  }
  if (kind === 'plugins') return pluginOptions(value)
  if (kind === 'upstreams') delete value.status
  return kind === 'routes' || kind === 'consumers' ? { id, ...value } : value
}

function pluginOptions({ options = {}, ...others }: Record<string, unknown>): unknown {
  const [other] = Object.keys(others)
  if (other === undefined) return options
  const violations = [{ field: `/${other}`, detail: 'belongs into options' }]
  throw new GatewayError('INVALID_ARGUMENT', 'A plugin is written as {id, options}.', { violations })
}
