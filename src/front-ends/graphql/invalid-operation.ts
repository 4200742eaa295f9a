import type { GraphQLError, GraphQLFormattedError } from 'graphql'
import { GatewayError } from '../../core/error.ts'
import type { Reason } from '../../core/reason.ts'
import { extensionsFor } from './errors.ts'

/** An operation that is not run because of what is written in it or in its variables; it has one error for each mistake. */
export class InvalidOperation extends GatewayError {
  readonly errors: readonly GraphQLFormattedError[]

  /** Expects at least one error. `hideSuggestions` takes "Did you mean" out of what graphql-js says. */
  constructor(reason: Reason, errors: readonly GraphQLError[], hideSuggestions: boolean) {
    const told = errors.map(({ message, locations }) => ({
      message: spoken(message, hideSuggestions),
      ...(locations === undefined ? undefined : { locations }),
      extensions: extensionsFor(reason),
    }))
    super(reason, told[0]?.message ?? 'The operation is not valid.')
    this.errors = told
  }
}

function spoken(message: string, hideSuggestions: boolean): string {
  if (message.startsWith('GraphQL introspection has been disabled')) return 'Introspection is switched off.'
  return hideSuggestions ? message.replace(/ ?Did you mean [^?]*\?/, '') : message
}
