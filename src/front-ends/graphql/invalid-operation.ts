import type { GraphQLFormattedError } from 'graphql'
import { GatewayError } from '../../core/error.ts'
import type { Reason } from '../../core/reason.ts'
import { extensionsFor } from './errors.ts'

/** What is wrong with a document or with variables, as graphql-js says it. */
export interface DocumentMistake {
  readonly message: string
  readonly locations?: GraphQLFormattedError['locations']
}

/** An operation that is not run because of what is written in it or in its variables; it has one error for each mistake. */
export class InvalidOperation extends GatewayError {
  readonly errors: readonly GraphQLFormattedError[]

  /** Expects at least one error. `hideSuggestions` takes "Did you mean" out of what graphql-js says. */
  constructor(reason: Reason, errors: readonly DocumentMistake[], hideSuggestions: boolean) {
    const told = errors.map(({ message, locations }) => ({
      message: spoken(message, hideSuggestions),
      ...(locations === undefined ? undefined : { locations }),
      extensions: extensionsFor(reason),
    }))
    super(reason, told[0]?.message ?? 'The operation is not valid.')
    this.errors = told
  }
}

function spoken(said: string, hideSuggestions: boolean): string {
  // It repeats names and values, which may be as long as the request.
  const message = said.length > 1_000 ? `${said.slice(0, 1_000)}…` : said
  if (message.startsWith('GraphQL introspection has been disabled')) return 'Introspection is switched off.'
  return hideSuggestions ? message.replace(/ ?Did you mean [^?]*\?/, '') : message
}
