import { readFile } from 'node:fs/promises'
import { ApolloGateway, RemoteGraphQLDataSource } from '@apollo/gateway'
import { ApolloServer } from '@apollo/server'
import { startStandaloneServer } from '@apollo/server/standalone'

// Apollo Server over Apollo Gateway as they come, on PORT, but for one header that goes on to the subgraphs. The argument is a supergraph file.

interface Context {
  readonly caller: string
}

class Source extends RemoteGraphQLDataSource<Context> {
  override willSendRequest({
    request,
    context,
  }: Parameters<NonNullable<RemoteGraphQLDataSource<Context>['willSendRequest']>>[0]): void {
    if ('caller' in context) request.http?.headers.set('x-caller', context.caller)
  }
}

const [file = ''] = process.argv.slice(2)
const server = new ApolloServer<Context>({
  gateway: new ApolloGateway({
    supergraphSdl: await readFile(file, 'utf8'),
    buildService: ({ url }) => new Source({ url: url ?? '' }),
  }),
})
await startStandaloneServer(server, {
  listen: { host: '127.0.0.1', port: Number(process.env.PORT) },
  context: async ({ req }) => ({ caller: String(req.headers['x-caller'] ?? '') }),
})
