import { z } from 'zod'
import type { PluginOptions } from '../config/plugin-list.ts'
import { type AdminRoute, adminRoute } from './admin-route.ts'
import { configComponents } from './config-components.ts'
import { flatInstanceShape } from './flat-instance.ts'
import { flatRouteShape } from './flat-route.ts'
import { operationOf, tagOf } from './openapi-operation.ts'
import { type JsonSchema, OpenApiSchemas } from './openapi-schemas.ts'
import { newInstance } from './service-routes.ts'

export interface OpenApiOptions {
  /** `admin.path` */
  readonly path: string
  /** Of the gateway. */
  readonly version: string
  /** Every plugin that the configuration may name. */
  plugins(): readonly PluginOptions[]
}

/** `/openapi.json`: all routes of the admin API, in OpenAPI 3.1, out of the schemas that check what comes in. @param others all but this one. */
export function openApiRoutes(others: readonly AdminRoute[], options: OpenApiOptions): AdminRoute[] {
  const route: AdminRoute = adminRoute({
    method: 'GET',
    path: '/openapi.json',
    scope: 'read',
    summary: 'This description',
    answer: z.looseObject({ openapi: z.literal('3.1.0') }),
    serve: () => ({ body: document([...others, route], options) }),
  })
  return [route]
}

function document(routes: readonly AdminRoute[], { path, version, plugins }: OpenApiOptions): JsonSchema {
  const schemas = new OpenApiSchemas(configComponents(plugins()))
  for (const schema of [flatRouteShape, flatInstanceShape, newInstance]) schemas.add(schema)
  const problem = schemas.of(problemShape, 'output')
  const paths: Record<string, Record<string, JsonSchema>> = {}
  for (const route of routes) {
    const operations = paths[route.path] ?? {}
    operations[route.method.toLowerCase()] = operationOf(route, routes, schemas)
    paths[route.path] = operations
  }
  const tags = [...new Set(routes.map(tagOf))].map((name) => ({ name, description: `\`/${name}\`` }))
  const responses = Object.fromEntries(
    Object.entries(refusals).map(([status, description]) => [
      status,
      { description, content: { 'application/problem+json': { schema: problem } } },
    ]),
  )
  const whole = {
    openapi: '3.1.0',
    info: {
      title: 'Trivium admin API',
      version,
      description: 'Changes, shows and takes back what the gateway does, while it runs.',
    },
    servers: [{ url: path, description: 'This gateway.' }],
    security: [{ adminToken: [] }],
    tags,
    paths,
    components: {
      securitySchemes: {
        adminToken: {
          type: 'http',
          scheme: 'bearer',
          description: 'A token of `admin.tokens`. Without any, clients on the same machine need none.',
        },
      },
      responses,
    },
  }
  return { ...whole, components: { schemas: schemas.componentsOf(whole), ...whole.components } }
}

const problemShape = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    reason: z.string().describe('docs/errors.md lists them all.'),
    requestId: z.string(),
    errors: z
      .array(z.strictObject({ field: z.string(), detail: z.string() }))
      .optional()
      .describe('Each place that is wrong.'),
  })
  .meta({ id: 'Problem', description: 'RFC 9457.' })

const refusals = {
  400: 'What was sent is not valid.',
  401: 'A token of the admin API is needed.',
  403: 'The token may not do this.',
  404: 'There is no such thing.',
  409: 'It is there already, something refers to it, or its state does not allow this.',
  412: 'It was changed since it was read.',
  413: 'The body is too large.',
  415: 'The body is of another type.',
  429: 'Too many requests.',
  500: 'The gateway failed.',
  503: 'What is needed for it is away, or not ready.',
}
