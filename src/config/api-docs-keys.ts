import { z } from 'zod'
import { duration, size } from '../core/units.ts'
import { authorizeKey } from './authorize-keys.ts'
import { object } from './declare.ts'

/** What the Express app serves itself. */
const taken = ['/livez', '/readyz', '/health', '/metrics', '/openapi/grpc.json']

const path = (usual: string) =>
  z
    .string()
    .regex(/^(\/[A-Za-z0-9._~-]+)+$/, `expected a path such as ${usual}`)
    .refine((text) => !taken.includes(text), 'is taken by the gateway itself')
    .refine((text) => !/\/\.{1,2}(\/|$)/.test(text), 'has a dot segment')
    .default(usual)

/** The Info Object of OpenAPI 3.1, but for its title and version. */
export const infoShape = {
  description: z
    .string()
    .min(1)
    .optional()
    .describe('In Markdown; absent: where the description comes from.'),
  contact: z
    .strictObject({
      name: z.string().optional().describe('A person or a team.'),
      url: z.url().optional().describe('Their page.'),
      email: z.email().optional().describe('Their address.'),
    })
    .optional()
    .describe('Who answers questions about the API; absent: nobody is named.'),
  license: z
    .strictObject({
      name: z.string().describe('As people know it: Apache 2.0.'),
      identifier: z.string().optional().describe('Its SPDX expression: Apache-2.0. Not together with url.'),
      url: z.url().optional().describe('Where it is written.'),
    })
    .refine(({ identifier, url }) => identifier === undefined || url === undefined, 'takes identifier or url')
    .optional()
    .describe('What clients may do with the API; absent: nothing is said.'),
}

/** `apiDocs`. */
export const apiDocsKeys = object({
  openapi: object({
    enabled: z.boolean().default(true).describe('Whether it is served; so is /openapi/grpc.json.'),
    path: path('/openapi.json').describe('Where; a route that takes the path wins.'),
    auth: z
      .enum(['required', 'none'])
      .default('none')
      .describe('Whether only callers who prove who they are may read it; none: everybody.'),
    authorize: authorizeKey,
  }).describe('One OpenAPI 3.1 document of all that is routed and not hidden.'),
  ui: object({
    enabled: z.boolean().optional().describe('Whether it is served. Default: as openapi.enabled.'),
    path: path('/docs').describe('Where; a route that takes the path wins.'),
  }).describe('Swagger UI, which shows the document and sends requests.'),
  info: object({
    title: z.string().min(1).default('API').describe('What the API is called.'),
    version: z.string().min(1).default('1.0.0').describe("The API's version, not the gateway's."),
    ...infoShape,
  }).describe('What the document says of the whole.'),
})
  .superRefine(({ openapi, ui }, context) => {
    if (ui.enabled === true && !openapi.enabled)
      context.addIssue({
        code: 'custom',
        path: ['ui', 'enabled'],
        message: 'has nothing to show while openapi.enabled is false',
      })
    const [page, document] = [`${ui.path}/`, `${openapi.path}/`]
    if (page.startsWith(document) || document.startsWith(page))
      context.addIssue({ code: 'custom', path: ['ui', 'path'], message: `"${ui.path}" meets openapi.path` })
  })
  .describe('What clients can read about the API (docs/api-docs.md).')

const hidden = z.boolean().default(false).describe('Whether it is left out of every description.')

/** `docs` of a place whose protocol describes itself. */
export const hiddenKeys = object({ hidden }).describe('How it is described (docs/api-docs.md).')

/** `routes[].docs` */
export const routeDocsKeys = object({
  hidden,
  summary: z.string().min(1).optional().describe('What it does, in a few words. Default: its id.'),
  description: z.string().min(1).optional().describe('What there is to know, in Markdown.'),
  tags: z.array(z.string().min(1)).default([]).describe('What it is listed under. Default: its id.'),
  deprecated: z.boolean().default(false).describe('Whether clients should use something else.'),
}).describe('How it is described (docs/api-docs.md).')

/** `upstreams.<name>.openapi` */
export const upstreamOpenapiKeys = z
  .strictObject({
    file: z
      .string()
      .min(1)
      .optional()
      .describe('Its OpenAPI document (3.0 or 3.1, YAML or JSON), relative to this file.'),
    path: z
      .string()
      .regex(/^\/[!-~]*$/, 'expected a path such as /openapi.json')
      .optional()
      .describe('Where the upstream itself serves it as JSON; excludes file.'),
    refresh: duration()
      .refine((ms) => ms >= 1_000, 'at least 1s')
      .optional()
      .describe('With path: how often it is asked for again. 5m if absent.'),
    timeout: duration()
      .refine((ms) => ms > 0, 'more than 0s')
      .optional()
      .describe('With path: how long it may take. 5s if absent.'),
    basePath: z
      .string()
      .regex(/^(\/[^/?#\s]+)*$/, 'expected a path without a slash at its end: /v1')
      .optional()
      .describe(
        'What stands before its paths at the upstream. Default: the path of the first URL of its servers.',
      ),
    maxBytes: size()
      .prefault('2mb')
      .refine((bytes) => bytes <= 10_485_760, 'at most 10mb')
      .describe('Largest document that is read.'),
  })
  .superRefine(({ file, path, refresh, timeout }, context) => {
    const issue = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message })
    if (file === undefined && path === undefined)
      issue([], 'says nowhere where the document is: file or path')
    if (file !== undefined && path !== undefined) issue(['path'], 'excludes file')
    for (const [key, value] of Object.entries({ refresh, timeout }))
      if (value !== undefined && path === undefined) issue([key], 'is for path: files are watched')
  })
  .describe("Its own API description, which the gateway's is made from (docs/api-docs.md).")

export type RouteDocs = z.output<typeof routeDocsKeys>
export type UpstreamOpenapiConfig = z.output<typeof upstreamOpenapiKeys>
