import type { GraphQLError, GraphQLFormattedError } from 'graphql'
import { GatewayError } from '../../../../core/error.ts'
import { extensionsFor, extensionsOf } from '../../errors.ts'
import { ServiceRefusal } from './service-refusal.ts'

/** An error at one field as clients may see it, and whether it is told in other words than its own. */
export interface PublicServiceError {
  readonly error: GraphQLFormattedError
  readonly masked: boolean
}

/** What clients see of an error that came up where a field of the subgraph was filled. */
export function publicServiceError(found: GraphQLError, serviceName: string): PublicServiceError {
  const { path, originalError: cause } = found
  const at = path === undefined ? {} : { path }
  const told = (
    message: string,
    extensions: Record<string, unknown>,
    masked = false,
  ): PublicServiceError => ({
    error: { message, ...at, extensions: { ...extensions, serviceName } },
    masked,
  })
  if (cause instanceof GatewayError) return told(cause.message, { ...extensionsOf(cause) })
  if (cause instanceof ServiceRefusal)
    return told(cause.message, { ...extensionsFor('SUBGRAPH_ERROR', cause.code) })
  // The words of graphql-js quote what did not fit; of a null they name the field only.
  const isNull = found.message.startsWith('Cannot return null for non-nullable field')
  const field = path?.findLast((part) => typeof part === 'string') ?? ''
  const message = isNull ? found.message : `What the service answered for "${field}" does not fit its type.`
  return told(message, { ...extensionsFor('UPSTREAM_BAD_ANSWER') }, !isNull)
}
