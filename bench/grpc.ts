import { resolve } from 'node:path'
import type { Contest } from './contest.ts'
import { apiKey, guarded, startBenchGateway } from './gateway.ts'
import { startOwnNode } from './own-node.ts'
import type { Question } from './wrk.ts'

const newBook = {
  title: 'Notes on the Analytical Engine',
  author: 'Ada Lovelace',
  genre: 'SCIENCE',
  published: '1843-09-01T00:00:00Z',
  tags: ['engine', 'bernoulli'],
  attributes: { language: 'en', translator: 'Ada Lovelace' },
  rating: 4.9,
  cover: 'R0lGODlhAQABAAAAACw=',
}

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
  const contest = (title: string, question: Omit<Question, 'headers'>): Contest => ({
    title: `gRPC: ${title}`,
    question: { ...question, headers: { 'Content-Type': 'application/json', 'X-API-Key': apiKey } },
    gateway,
    references: [{ name: 'Express + grpc-js', ...usual }],
    aims: [{ reference: 'Express + grpc-js', atMost: 0.8 }],
  })
  return [
    contest('GetBook', { method: 'GET', path: '/v1/shelves/1/books/1' }),
    {
      title: 'gRPC: native GetBook',
      question: native,
      gateway,
      references: [{ name: 'bare node:http2', ...bare }],
      aims: [],
    },
    contest('CreateBook', { method: 'POST', path: '/v1/shelves/1/books', body: JSON.stringify(newBook) }),
  ]
}
