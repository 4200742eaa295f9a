import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createGatewayRuntime } from '@graphql-hive/gateway-runtime'

// Hive Gateway as it comes, on PORT, but for one header that goes on to the subgraphs. The argument is a supergraph file.

const gateway = createGatewayRuntime({
  supergraph: await readFile(process.argv[2] ?? '', 'utf8'),
  graphqlEndpoint: '/',
  landingPage: false,
  graphiql: false,
  logging: false,
  propagateHeaders: {
    fromClientToSubgraphs: ({ request }) => ({ 'x-caller': request.headers.get('x-caller') ?? '' }),
  },
})
createServer(gateway).listen(Number(process.env.PORT), '127.0.0.1')
