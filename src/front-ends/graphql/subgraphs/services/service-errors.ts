import type { GraphQLError, GraphQLFormattedError } from 'graphql'
import { GatewayError } from '../../../../core/error.ts'
import { extensionsFor, extensionsOf } from '../../errors.ts'
import {
  compileErrorPolicy,
  type ErrorPolicy,
  type PublicSubgraphError,
  withoutUpstream,
} from '../subgraph-errors.ts'
import { ServiceRefusal } from './service-refusal.ts'

/** Compiles what clients see of an error that came up where a field of the subgraph was filled. */
export function compileServiceErrors(policy: ErrorPolicy): (found: GraphQLError) => PublicSubgraphError {
  const show = compileErrorPolicy(policy)
  const spoken = (message: string): string => (policy.showSubgraph ? message : withoutUpstream(message))
  return (found) => {
    const { path, originalError: cause } = found
    if (cause instanceof ServiceRefusal) {
      const { message, code, status } = cause
      return show({ message: spoken(message), path, extensions: code === undefined ? {} : { code } }, status)
    }
    const told = (message: string, extensions: object): GraphQLFormattedError => {
      return { message, ...(path === undefined ? {} : { path }), extensions: { ...extensions } }
    }
    if (cause instanceof GatewayError)
      return { error: told(spoken(cause.message), extensionsOf(cause)), masked: false }
    // The words of graphql-js quote what did not fit; of a null they name the field only.
    const isNull = found.message.startsWith('Cannot return null for non-nullable field')
    const field = path?.findLast((part) => typeof part === 'string') ?? ''
    const message = isNull ? found.message : `What the service answered for "${field}" does not fit its type.`
    return { error: told(message, extensionsFor('UPSTREAM_BAD_ANSWER')), masked: !isNull }
  }
}
