import { z } from 'zod'
import type { Config } from '../config/schema.ts'
import type { ConfigEdit } from '../control/change.ts'
import type { ControlPlane } from '../control/control-plane.ts'
import { describeAuthorization } from '../core/authorization.ts'
import { GatewayError } from '../core/error.ts'
import type { Auth, Authorization } from '../core/route.ts'
import { type AdminRoute, adminRoute } from './admin-route.ts'
import { pageAnswer, pageOf, pageOfSchema, pageQuery } from './page.ts'
import { writeOptions, writtenAnswer, writtenShape } from './written-answer.ts'

const auth = z.enum(['required', 'optional', 'none'])

const permissionShape = z
  .strictObject({
    id: z
      .string()
      .describe('`routes/users`, `graphql`, `grpc/library.v1.LibraryService`, and `/GetBook` behind it.'),
    auth,
    authorize: z.looseObject({}).describe('What a caller needs besides an identity: all of it.'),
    needs: z.array(z.string()).describe('The same in words.'),
  })
  .meta({ id: 'Permission' })

/** What may be set; how an authorization is written is in the configuration's own schema. */
const newPermission = z.strictObject({
  auth: auth.optional().describe('Default: required.'),
  authorize: z.record(z.string(), z.unknown()).optional().describe('Default: nothing more is needed.'),
})

interface Permission {
  readonly id: string
  readonly auth: Auth
  readonly authorize: Authorization
}

/** `/permissions`: who may call what, of every place at once. */
export function permissionRoutes(control: ControlPlane, config: () => Config): AdminRoute[] {
  const found = (id = ''): Permission => {
    const all = permissionsOf(config())
    const permission = all.find((one) => one.id === id)
    if (permission !== undefined) return permission
    // A method that has nothing of its own is as its service is.
    const [service, method] = id.split(/(?<=^grpc\/[^/]+)\//)
    const around = all.find((one) => one.id === service)
    if (method !== undefined && around !== undefined) return { ...around, id }
    throw new GatewayError(
      'NOT_FOUND',
      `There is no "${id}": places are named as GET /permissions lists them.`,
    )
  }
  return [
    adminRoute({
      method: 'GET',
      path: '/permissions',
      scope: 'read',
      summary: 'Who may call what',
      query: z.strictObject({
        ...pageQuery,
        'filter[auth]': auth.optional(),
        'filter[needs]': z.string().optional().describe('A part of what is needed, in words: `admin`.'),
      }),
      answer: pageOfSchema(permissionShape),
      serve({ query }) {
        const { 'filter[auth]': wanted, 'filter[needs]': part } = query
        const all = permissionsOf(config())
          .map(shown)
          .filter((one) => wanted === undefined || one.auth === wanted)
          .filter(({ needs }) => part === undefined || needs.some((need) => need.includes(part)))
        return pageAnswer(pageOf(all, query))
      },
    }),
    adminRoute({
      method: 'GET',
      path: '/permissions/{id}',
      scope: 'read',
      summary: 'Who may call one place',
      also: [304],
      answer: permissionShape,
      serve: ({ params }) => ({ body: shown(found(params.id)), etag: control.etag }),
    }),
    adminRoute({
      method: 'PUT',
      path: '/permissions/{id}',
      scope: 'write',
      summary: 'Set who may call one place',
      description: '`If-Match` is the tag of the whole configuration.',
      body: newPermission,
      answer: writtenShape,
      async serve(call) {
        const { id } = found(call.params.id)
        const { auth, authorize } = call.body
        const given = { ...(auth && { auth }), ...(authorize && { authorize }) }
        // First away with what is there: a patch alone would merge both.
        const edits = [editOf(id, { auth: null, authorize: null }), editOf(id, given)]
        return writtenAnswer(await control.write(edits, writeOptions(call)))
      },
    }),
  ]
}

function shown({ id, auth, authorize }: Permission) {
  return { id, auth, authorize, needs: describeAuthorization(authorize) }
}

function permissionsOf({ routes, graphql, grpc }: Config): Permission[] {
  return [
    ...routes.map(({ id, auth, authorize }) => ({ id: `routes/${id}`, auth, authorize })),
    ...(graphql === undefined ? [] : [{ id: 'graphql', auth: graphql.auth, authorize: graphql.authorize }]),
    ...Object.entries(grpc?.services ?? {}).flatMap(([name, service]) => [
      { id: `grpc/${name}`, auth: service.auth, authorize: service.authorize },
      ...Object.entries(service.methods).map(([method, { auth, authorize }]) => ({
        id: `grpc/${name}/${method}`,
        auth: auth ?? service.auth,
        authorize: authorize ?? service.authorize,
      })),
    ]),
  ]
}

/** The change of a place that exists. */
function editOf(place: string, value: object): ConfigEdit {
  const [kind, id = '', method] = place.split('/')
  if (kind === 'routes') return { op: 'patch', kind, id, value }
  if (kind === 'graphql') return { op: 'merge', value: { graphql: value } }
  const inside = method === undefined ? value : { methods: { [method]: value } }
  return { op: 'patch', kind: 'grpcServices', id, value: inside }
}
