import { type AdminRoute, writes } from './admin-route.ts'
import { dryShape } from './dry-answer.ts'
import { type JsonSchema, type OpenApiSchemas, reference } from './openapi-schemas.ts'
import { operationId } from './operation-ids.ts'
import { queryOf } from './read-input.ts'
import { writtenShape } from './written-answer.ts'

/** One operation of an OpenAPI document. */
export function operationOf(
  route: AdminRoute,
  routes: readonly AdminRoute[],
  schemas: OpenApiSchemas,
): JsonSchema {
  const body = requestBody(route, schemas)
  return {
    operationId: operationId(route, routes),
    summary: route.summary,
    description: `${route.description === undefined ? '' : `${route.description}\n\n`}Needs the scope \`${route.scope}\`.`,
    tags: [tagOf(route)],
    parameters: parameters(route, schemas),
    ...(body !== undefined && { requestBody: body }),
    responses: responses(route, schemas),
  }
}

const asInPut = 'A configuration, as `PUT /config` takes it; of a patch, a part of one.'

/** The resource that a route is of. */
export function tagOf({ path }: AdminRoute): string {
  return /^\/([^/:]+)/.exec(path)?.[1]?.replace(/\.json$/, '') ?? ''
}

function parameters(route: AdminRoute, schemas: OpenApiSchemas): JsonSchema[] {
  const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
  const inQuery = Object.entries(queryOf(route).shape).map(([name, schema]) => {
    const { description, ...rest } = schemas.of(schema, 'input')
    const isRequired = !schema.safeParse(undefined).success
    return {
      name,
      in: 'query',
      ...(isRequired && { required: true }),
      ...(description !== undefined && { description }),
      schema: rest,
    }
  })
  const ifMatch = {
    name: 'If-Match',
    in: 'header',
    description: 'The `ETag` of what is changed, as it was read: stale is 412 with the current one.',
    schema: { type: 'string' },
  }
  return [...inPath, ...inQuery, ...(route.answer === writtenShape ? [ifMatch] : [])]
}

function requestBody({ body, takes, method }: AdminRoute, schemas: OpenApiSchemas): JsonSchema | undefined {
  if (takes === 'config') {
    const json = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
    // In full in one place: with all that stands in it, it is longer than all else.
    const schema = method === 'PUT' ? reference('Configuration') : { type: 'object', description: asInPut }
    const yaml = { type: 'string', description: 'The same in YAML.' }
    return { required: true, content: { [json]: { schema }, 'application/yaml': { schema: yaml } } }
  }
  if (body === undefined) return undefined
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
  const isRequired = !body.safeParse({}).success
  return { required: isRequired, content: { [type]: { schema: schemas.of(body, 'input') } } }
}

function responses(route: AdminRoute, schemas: OpenApiSchemas): JsonSchema {
  const { answer, status = answer === undefined ? 204 : 200, also = [] } = route
  const told = new Map<number, JsonSchema>()
  for (const one of [status, ...also]) told.set(one, success(route, one, schemas))
  if (writes(route) && answer !== writtenShape) {
    const dry = schemas.of(dryShape, 'output')
    const same = status === 200 && answer !== undefined ? [schemas.of(answer, 'output')] : []
    const schema = same.length === 0 ? dry : { anyOf: [...same, dry] }
    told.set(200, { description: 'Done, or what would be.', content: { 'application/json': { schema } } })
  }
  const refusals = refusalsOf(route).map((code) => [code, { $ref: `#/components/responses/${code}` }])
  return { ...Object.fromEntries(told), ...Object.fromEntries(refusals) }
}

const noBody = [204, 304]

function success(
  { answer, stream, path, takes, method }: AdminRoute,
  status: number,
  schemas: OpenApiSchemas,
): JsonSchema {
  const description =
    status === 304 ? 'What the client has is the newest.' : status === 201 ? 'Made.' : 'Done.'
  if (stream === true)
    return {
      description: 'Server-sent events.',
      content: { 'text/event-stream': { schema: { type: 'string' } } },
    }
  if (answer === undefined || noBody.includes(status)) return { description }
  const schema = schemas.of(answer, 'output')
  const isDocument = path === '/config' && method === 'GET' && takes === undefined
  const types = isDocument ? ['application/json', 'application/yaml'] : ['application/json']
  return { description, content: Object.fromEntries(types.map((type) => [type, { schema }])) }
}

/** What every call may be refused with, and what only some. */
function refusalsOf(route: AdminRoute): string[] {
  const { path, method } = route
  const takesBody = method === 'GET' ? [] : ['413', '415']
  const changes = writes(route) ? ['409', '412'] : []
  return [
    '400',
    '401',
    '403',
    ...(path.includes('{') ? ['404'] : []),
    ...changes,
    ...takesBody,
    '429',
    '500',
    '503',
  ]
}
