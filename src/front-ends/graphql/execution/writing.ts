import type { FieldNode, GraphQLFormattedError } from 'graphql'
import { extensionsFor } from '../errors.ts'

/** An answer while it is written. */
export interface Writing {
  /** Where in the answer; the same array all the time. */
  readonly path: (string | number)[]
  readonly errors: GraphQLFormattedError[]
  /** What the schema says of itself under that response key, as JSON. */
  introspect(fields: readonly FieldNode[]): string
}

/** Writes a value of the data as JSON; undefined: it is null where null may not be, or no value of the type, and the error is told. */
export type Write = (value: unknown, to: Writing) => string | undefined

/** A field, for messages and paths. */
export interface Place {
  /** `Product.title` */
  readonly field: string
  /** Response key of the client. */
  readonly key: string
}

/** What is told of a null where there may be none, in the words of graphql-js. */
export function cannotBeNull(field: string): string {
  return `Cannot return null for non-nullable field ${field}.`
}

/** Tells what is wrong with the value that is being written. */
export function tell(message: string, { path, errors }: Writing): void {
  errors.push({
    message,
    path: [...path],
    extensions: extensionsFor('UPSTREAM_BAD_ANSWER', 'INTERNAL_SERVER_ERROR'),
  })
}
