import type { FrontEnd } from '../../src/core/front-end.ts'
import type { Row } from '../../src/core/route.ts'
import { canonicalPath } from '../../src/routing/canonical-path.ts'
import { type MatchQuery, RoutingTable } from '../../src/routing/table.ts'

const frontEnd: FrontEnd = { name: 'rest', rows: [], refuse: () => {}, close: async () => {} }

/** A row that takes every request of a template, but for what is given. Its id is the template where none is given. */
export function row(template: string, more: Partial<Row> = {}): Row {
  const id = more.id ?? template
  return {
    id,
    protocol: 'rest',
    template,
    policy: {
      id,
      auth: 'none',
      authorize: { roles: [], scopes: [] },
      plugins: [],
      forwardCredentials: false,
    },
    methods: [],
    hosts: [],
    headers: [],
    query: [],
    priority: 0,
    encodedSlash: false,
    frontEnd,
    origin: `route "${id}"`,
    serve: () => {},
    ...more,
  }
}

/** A table whose answer is the id of the row. */
export function tableOf(rows: readonly Row[]): RoutingTable<string> {
  return new RoutingTable(rows.map((one) => ({ row: one, value: one.id })))
}

/** A question, as the listener asks it: `GET /v1/users?x=1`. */
export function ask(line: string, more: Partial<MatchQuery> = {}): MatchQuery {
  const [method = '', target = ''] = line.split(' ')
  const [path = '', query = ''] = target.split('?')
  const { matchSegments, encodedSlash } = canonicalPath(path)
  return {
    method,
    segments: matchSegments,
    encodedSlash,
    host: 'gateway.example',
    headers: {},
    query,
    ...more,
  }
}
