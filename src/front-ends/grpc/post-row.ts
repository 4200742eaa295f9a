import type { Row } from '../../core/route.ts'

type OwnKeys = 'id' | 'policy' | 'frontEnd' | 'origin' | 'serve' | 'always' | 'leadsTo' | 'expects'

/** The row that clients of gRPC call `id` by, `package.Service/Method` or `package.Service/*`: a POST to that path, on every host. */
export function postRow(own: Pick<Row, OwnKeys>): Row {
  return {
    ...own,
    protocol: 'grpc',
    template: `/${own.id}`,
    methods: ['POST'],
    hosts: [],
    headers: [],
    query: [],
    priority: 0,
    encodedSlash: false,
  }
}
