import { resolve } from 'node:path'
import { startOwnNode } from '../test/services/own-node.ts'
import { bigBook, newBook } from './books.ts'
import type { Aim, Contest } from './contest.ts'
import { apiKey, guarded, startBenchGateway } from './gateway.ts'
import type { Question } from './wrk.ts'

const usualName = 'Express + grpc-js'
/** The gateway is to cost a third of the usual way, and no more than that was where both were measured first. */
const aims: readonly Aim[] = [{ reference: usualName, atMost: 1 / 3 }, { atMost: 130 }]
const messages = 1_000

/** REST to gRPC through the gateway and in the usual way (Express, proto-loader and grpc-js), and gRPC as it is. */
export async function prepareGrpc(resources: AsyncDisposableStack): Promise<Contest[]> {
  const protos = resolve(import.meta.dirname, '../protos')
  const library = await startOwnNode({ file: 'bench/backends/library.ts' })
  resources.use(library)
  const gateway = await startBenchGateway({
    upstreams: { library: { targets: [{ url: library.url }] } },
    grpc: {
      protos: [`${protos}/library/v1/library.proto`],
      includeDirs: [protos],
      services: { 'library.v1.LibraryService': { upstream: 'library', ...guarded } },
    },
  })
  resources.use(gateway)
  const usual = await startOwnNode({ file: 'bench/references/express-grpc.ts', args: [library.url] })
  resources.use(usual)
  const native = {
    path: '/library.v1.LibraryService/GetBook',
    headers: { 'x-api-key': apiKey },
    // {shelf: 1, book: 1}
    message: Buffer.from([8, 1, 16, 1]),
  }
  const bare = await startOwnNode({
    file: 'bench/references/bare-http2.ts',
    args: [library.url, native.path, native.message.toString('hex')],
  })
  resources.use(bare)
  const contest = (title: string, question: Question, wanted: readonly Aim[]): Contest => ({
    title: `gRPC: ${title}`,
    question,
    gateway,
    references: [{ name: usualName, ...usual }],
    aims: wanted,
  })
  const headers = { 'Content-Type': 'application/json', 'X-API-Key': apiKey }
  const create = (book: object): Question => {
    return { method: 'POST', path: '/v1/shelves/1/books', headers, body: JSON.stringify(book) }
  }
  const watch = (accept: string): Question => {
    const path = `/v1/shelves/1/books:watch?count=${messages}`
    return { method: 'GET', path, headers: { ...headers, Accept: accept }, connections: 8 }
  }
  return [
    contest('GetBook', { method: 'GET', path: '/v1/shelves/1/books/1', headers }, aims),
    {
      title: 'gRPC: native GetBook',
      question: native,
      gateway,
      references: [{ name: 'bare node:http2', ...bare }],
      aims: [],
    },
    contest('CreateBook', create(newBook), aims),
    contest('CreateBook, 10 KB', create(bigBook), aims),
    contest(`WatchBooks, ${messages} messages as NDJSON`, watch('application/x-ndjson'), aims.slice(0, 1)),
    contest(`WatchBooks, ${messages} messages as JSON array`, watch('application/json'), aims.slice(0, 1)),
  ]
}
