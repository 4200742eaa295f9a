import type { ApolloGateway } from '@apollo/gateway'
import { type DocumentNode, GraphQLError } from 'graphql'
import { GatewayError } from '../../core/error.ts'
import type { Logger } from '../../core/log.ts'
import { createGuard, type GuardOptions } from './create-guard.ts'
import { extensionsOf } from './errors.ts'
import type { OperationContext } from './subgraph-source.ts'

/** What Apollo Server uses of Apollo Gateway. */
export type Gateway = Pick<ApolloGateway, 'load' | 'onSchemaLoadOrUpdate' | 'stop'>

/** Apollo Gateway with the guard before its executor. What the guard refuses is left in the `refusals` of the operation's context. */
export function guardedGateway(
  gateway: ApolloGateway,
  { supergraph, ...options }: GuardOptions & { readonly supergraph: DocumentNode; readonly log: Logger },
): Gateway {
  return {
    load: async (loading) => {
      const { executor } = await gateway.load(loading)
      const { schema } = gateway
      if (schema === undefined) throw new Error('The supergraph is not loaded.')
      const guard = createGuard(supergraph, { ...options, schema })
      return {
        schema,
        executor: async (request) => {
          const context = request.context as OperationContext
          try {
            return await guard.execute({ ...request, context }, executor)
          } catch (error) {
            if (!(error instanceof GatewayError)) throw error
            context.refusals.push(error)
            return { errors: [new GraphQLError(error.message, { extensions: { ...extensionsOf(error) } })] }
          }
        },
      }
    },
    onSchemaLoadOrUpdate: (callback) => gateway.onSchemaLoadOrUpdate(callback),
    stop: () => gateway.stop(),
  }
}
