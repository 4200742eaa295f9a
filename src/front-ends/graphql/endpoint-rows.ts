import { openPolicy } from '../../core/policy.ts'
import type { Row } from '../../core/route.ts'
import { serveExplorer } from './explorer.ts'

/** What {@link endpointRows} needs. */
export interface EndpointOptions extends Pick<Row, 'policy' | 'frontEnd' | 'serve'> {
  /** A literal path. */
  readonly path: string
  /** Whether browsers that navigate to the path get GraphiQL. */
  readonly explorer: boolean
  /** The rows beside that of the endpoint, by which WebSockets come. */
  sockets(row: Row): readonly Row[]
}

/** The lines of the routing table; the first is the endpoint's. */
export function endpointRows({ path, policy, frontEnd, serve, explorer, sockets }: EndpointOptions): Row[] {
  const endpoint: Row = {
    id: 'graphql',
    protocol: 'graphql',
    template: path,
    policy,
    methods: ['GET', 'POST'],
    hosts: [],
    headers: [],
    query: [],
    priority: 0,
    encodedSlash: false,
    frontEnd,
    origin: 'graphql.path',
    serve,
  }
  const page: Row = {
    ...endpoint,
    id: 'graphql-explorer',
    policy: explorerPolicy,
    methods: ['GET'],
    // Wins for navigations because it asks for more: browsers send this header with them, and scripts cannot set it.
    headers: [{ name: 'sec-fetch-mode', value: 'navigate' }],
    serve: serveExplorer,
  }
  return [endpoint, ...sockets(endpoint), ...(explorer ? [page] : [])]
}

/** The page shows nothing that needs protection; its operations go through the policy of the endpoint. */
const explorerPolicy = openPolicy('graphql-explorer')
