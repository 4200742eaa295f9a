import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { composeServices } from '@apollo/composition'
import { ApolloGateway } from '@apollo/gateway'
import { ApolloServer } from '@apollo/server'
import { startStandaloneServer } from '@apollo/server/standalone'
import { parse } from 'graphql'

// Apollo Server over Apollo Gateway as they come, on PORT. The arguments are subgraphs: name=url, with schemas/{name}.graphql.

const subgraphs = await Promise.all(
  process.argv.slice(2).map(async (argument) => {
    const [name = '', url = ''] = argument.split('=')
    const file = resolve(import.meta.dirname, `../../schemas/${name}.graphql`)
    return { name, url, typeDefs: parse(await readFile(file, 'utf8')) }
  }),
)
const { supergraphSdl, errors } = composeServices(subgraphs)
if (supergraphSdl === undefined) throw new AggregateError(errors ?? [], 'The subgraphs do not compose.')

const server = new ApolloServer({ gateway: new ApolloGateway({ supergraphSdl }) })
await startStandaloneServer(server, { listen: { host: '127.0.0.1', port: Number(process.env.PORT) } })
