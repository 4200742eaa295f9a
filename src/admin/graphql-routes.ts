import { z } from 'zod'
import { GatewayError } from '../core/error.ts'
import type { AdminRoute } from './admin-route.ts'

/** `/graphql/supergraph`: the supergraph that runs, as SDL. */
export function graphqlRoutes(supergraphSdl: () => string | undefined): AdminRoute[] {
  return [
    {
      method: 'GET',
      path: '/graphql/supergraph',
      scope: 'read',
      summary: 'The supergraph that runs',
      answer: z.strictObject({ supergraph: z.string().describe('SDL.') }),
      serve() {
        const supergraph = supergraphSdl()
        if (supergraph === undefined) throw new GatewayError('NOT_FOUND', 'There is no supergraph.')
        return { body: { supergraph } }
      },
    },
  ]
}
