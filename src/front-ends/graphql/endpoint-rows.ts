import type { FrontEnd } from '../../core/front-end.ts'
import { openPolicy } from '../../core/policy.ts'
import type { Policy, Row } from '../../core/route.ts'
import { serveExplorer } from './explorer.ts'

/** What the rows are made of. */
export interface EndpointOptions {
  /** A literal path, `/graphql`. */
  readonly path: string
  readonly policy: Policy
  /** Whether browsers that navigate to the path get GraphiQL. */
  readonly explorer: boolean
  readonly serve: Row['serve']
}

/** The rows of the endpoint: one for operations, and one for the explorer if there is one. */
export function endpointRows(frontEnd: FrontEnd, { path, policy, explorer, serve }: EndpointOptions): Row[] {
  const row = {
    protocol: 'graphql',
    template: path,
    hosts: [],
    query: [],
    priority: 0,
    encodedSlash: false,
    frontEnd,
    origin: 'graphql.path',
  } as const
  const operations: Row = { ...row, id: 'graphql', headers: [], policy, methods: ['GET', 'POST'], serve }
  if (!explorer) return [operations]
  // Wins for navigations because it asks for more: browsers send this header with them, and scripts cannot set it.
  const headers = [{ name: 'sec-fetch-mode', value: 'navigate' }]
  const page = {
    id: 'graphql-explorer',
    headers,
    policy: explorerPolicy,
    methods: ['GET'],
    serve: serveExplorer,
  }
  return [operations, { ...row, ...page }]
}

/** The page shows nothing that needs protection; its operations go through the policy of the endpoint. */
const explorerPolicy = openPolicy('graphql-explorer')
