import { isRecord } from '../core/is-record.ts'
import { type Converted, Draft, type Json, known, type Part } from './draft.ts'
import { Reader } from './reader.ts'

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'] as const

/** Converts an OpenAPI document (3.0 or 3.1). `file` is how the result refers to it, to hold requests to it. */
export function convertOpenApi(data: unknown, file: string): Converted {
  const root = new Reader(data)
  const draft = new Draft()
  const version = root.text('openapi') ?? ''
  if (!/^3\.[01]\b/.test(version))
    root.note(`is OpenAPI ${version === '' ? 'of an unknown version' : version}: 3.0 and 3.1 are converted`)
  root.skip(
    'info',
    'tags',
    'externalDocs',
    '$schema',
    'jsonSchemaDialect',
    ...root.keys.filter((key) => key.startsWith('x-')),
  )
  const { upstream, basePath } = convertServers(draft, root)
  const schemes = root.child('components')?.child('securitySchemes')
  for (const name of schemes?.keys ?? []) convertScheme(draft, schemes?.child(name))
  const everywhere = root.raw('security')
  const paths = root.child('paths')
  const validate = {
    validate: known({ openapi: `file://${file}`, basePath: basePath === '' ? undefined : basePath }),
  }
  for (const path of paths?.keys ?? []) {
    const item = paths?.child(path)
    if (item === undefined) continue
    const operations = methods.flatMap((method) => {
      const operation = item.child(method)
      return operation === undefined
        ? []
        : [
            {
              method,
              part: securityOf(operation.raw('security') ?? everywhere),
              id: operation.text('operationId'),
            },
          ]
    })
    if (item.has('$ref')) item.note('paths of other files are not read', '$ref')
    if (item.has('servers')) item.note('all paths go to the first server of the document', 'servers')
    for (const same of Map.groupBy(operations, ({ part }) => JSON.stringify(part)).values()) {
      const [first] = same
      if (first === undefined) continue
      const id = draft.id('route', same.length === 1 && first.id !== undefined ? first.id : path)
      const named = templateOf(path)
      if (named === undefined) {
        item.note('a path with variables inside of a segment is no template here')
        continue
      }
      const route = {
        id,
        path: basePath + named,
        methods: same.map(({ method }) => method.toUpperCase()),
        upstream,
      }
      draft.route(route, [first.part, { plugins: [validate] }])
    }
  }
  if (root.has('webhooks')) root.note('webhooks are calls of the backend: nothing to convert', 'webhooks')
  root.finish()
  return { config: draft.config(), notes: root.notes }
}

function convertServers(draft: Draft, root: Reader): { upstream: string; basePath: string } {
  const servers = root.children('servers')
  const written = servers[0]?.text('url') ?? '/'
  const variables = servers[0]?.child('variables')
  const url = written.replace(
    /\{([^}]+)\}/g,
    (_, name: string) => variables?.child(name)?.text('default') ?? name,
  )
  const isWhole = URL.canParse(url)
  if (!isWhole)
    root.note('names no server with a host: write where the backend is in upstreams.api.targets', 'servers')
  const { origin, pathname } = new URL(url, 'http://127.0.0.1:3000')
  const upstream = draft.id('upstream', 'api')
  draft.upstreams[upstream] = { targets: [{ url: origin }] }
  if (servers.length > 1)
    root.note(
      `has ${servers.length} servers: the first is converted, others may be targets or upstreams of their own`,
      'servers',
    )
  return { upstream, basePath: pathname.replace(/\/$/, '') }
}

function convertScheme(draft: Draft, scheme: Reader | undefined): void {
  const [type, place, name] = [scheme?.text('type'), scheme?.text('in'), scheme?.text('name')]
  if (type === 'apiKey' && name !== undefined) {
    const key = place === 'query' ? 'query' : place === 'cookie' ? 'cookie' : 'header'
    draft.apiKeys = { ...draft.apiKeys, [key]: key === 'header' ? name.toLowerCase() : name }
    return
  }
  const discovery = scheme?.text('openIdConnectUrl')
  if (type === 'openIdConnect' && discovery?.startsWith('https://') === true) {
    const issuer = discovery.replace(/\/\.well-known\/openid-configuration$/, '')
    scheme?.note('tokens must name an audience here: write it in place of "change-me" in auth.jwt')
    draft.jwt.push({ issuer, audience: 'change-me', algorithms: ['RS256', 'ES256'] })
    return
  }
  scheme?.note(
    `who signs the tokens does not stand in the document: write auth.jwt, or make keys for the consumer "clients"`,
  )
}

/** Any one of the listed ways is enough; `{}` is the way without. */
function securityOf(security: unknown): Part {
  const ways = Array.isArray(security) ? security.filter(isRecord) : []
  if (ways.length === 0) return {}
  const scopes =
    ways.length === 1
      ? Object.values(ways[0] ?? {})
          .flat()
          .map(String)
      : []
  return {
    auth: ways.some((way) => Object.keys(way).length === 0) ? 'optional' : 'required',
    ...(scopes.length > 0 && { route: { authorize: { scopes } } satisfies Json }),
  }
}

/** `/pets/{pet-id}` as `/pets/{pet_id}`; undefined where a variable is a part of a segment. */
function templateOf(path: string): string | undefined {
  const segments = path.split('/').map((segment) => {
    const [, name] = /^\{([^{}]+)\}$/.exec(segment) ?? []
    if (name !== undefined) return `{${name.replace(/\W/g, '_').replace(/^(?=\d)/, '_')}}`
    return segment.includes('{') ? undefined : segment
  })
  return segments.includes(undefined) ? undefined : segments.join('/')
}
