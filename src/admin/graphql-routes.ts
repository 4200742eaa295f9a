import { GatewayError } from '../core/error.ts'
import type { AdminRoute } from './admin-router.ts'

/** `/graphql/supergraph`: the supergraph that runs, as SDL. */
export function graphqlRoutes(supergraphSdl: () => string | undefined): AdminRoute[] {
  return [
    {
      method: 'GET',
      path: '/graphql/supergraph',
      scope: 'read',
      serve() {
        const supergraph = supergraphSdl()
        if (supergraph === undefined) throw new GatewayError('NOT_FOUND', 'There is no supergraph.')
        return { body: { supergraph } }
      },
    },
  ]
}
