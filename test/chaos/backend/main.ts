import { readFileSync } from 'node:fs'
import type { ServiceDefinition } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { Journal } from './journal.ts'
import { serveGrpc } from './serve-grpc.ts'
import { type BackendState, serveHttp } from './serve-http.ts'

// One backend of the chaos runs: REST and a subgraph on PORT, gRPC on GRPC_PORT, all that arrives noted in JOURNAL. SIGTERM lets it end
// what is under way.

const folder = new URL('..', import.meta.url)
const { PORT, GRPC_PORT, JOURNAL = '' } = process.env
const state: BackendState = { behaviour: { kind: 'well' }, journal: new Journal(JOURNAL) }
const definitions = loadSync(new URL('things.proto', folder).pathname, {
  includeDirs: [new URL('../../node_modules/google-proto-files', folder).pathname],
})

const grpc = serveGrpc(state, definitions['chaos.v1.Things'] as ServiceDefinition)
const http = serveHttp(state, readFileSync(new URL('things.graphql', folder), 'utf8'), grpc.tellHealth)
// Who waits for PORT may use both.
grpc.server.listen(Number(GRPC_PORT), '127.0.0.1', () => http.listen(Number(PORT), '127.0.0.1'))

process.once('SIGTERM', () => {
  http.close()
  grpc.drain()
})
