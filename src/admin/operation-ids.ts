import type { AdminRoute } from './admin-route.ts'

/** The name of a route for the OpenAPI document and the audit log: `keys.list`, `keys.get`, `keys.create`, `keys.rotate`, `config.versions.rollback`. */
export function operationId({ method, path }: AdminRoute, routes: readonly AdminRoute[]): string {
  const [, base = '', verb] = /^(.*?)(?::(\w+))?$/.exec(path) ?? []
  const words = base.split('/').filter((part) => part !== '' && !part.startsWith('{'))
  const name = words.map((word) => word.replace(/\.json$/, '')).join('.')
  if (verb !== undefined) return `${name}.${verb}`
  const isList = routes.some((other) => other.path.startsWith(`${path}/{`))
  return `${name}.${method === 'GET' && isList ? 'list' : verbs[method]}`
}

const verbs = { GET: 'get', POST: 'create', PUT: 'put', PATCH: 'patch', DELETE: 'delete' } as const
