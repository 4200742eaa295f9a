import { z } from 'zod'
import { isComposed } from '../core/composed-value.ts'
import { jsonWithTexts } from './text-keys.ts'

const operationKeys = {
  operation: z
    .string()
    .min(1)
    .describe('The text of a query or mutation; file://operations/user.graphql for that of a file.'),
  operationName: z
    .string()
    .optional()
    .describe('Which operation of the text is run; needed where there are several.'),
  variables: z
    .record(z.string(), jsonWithTexts(isComposed))
    .default({})
    .describe(
      'JSON with values in its texts; texts are read as the operation declares its variables (docs/aggregation.md).',
    ),
  at: way()
    .optional()
    .describe(
      'Where in the data the answer is: user, or user.reviews; null there is a 404. Default: all of it.',
    ),
  partial: z
    .enum(['answer', 'refuse'])
    .default('answer')
    .describe(
      'Whether data that came with errors is answered, with the errors named, or the first error is.',
    ),
}

/** A stored operation as a part of an aggregation. */
export const operationPartSchema = z.strictObject(operationKeys)

/** `routes[].graphqlOperation` */
export const graphqlOperationSchema = z.strictObject({
  ...operationKeys,
  status: z.int().min(200).max(299).default(200).describe('HTTP status of an answer.'),
  errorsAs: errorsAs(),
})

/** The member that says what failed. */
export function errorsAs() {
  return z
    .string()
    .min(1)
    .default('errors')
    .describe('The member of an answer that is not whole in which is listed what failed.')
}

/** Keys, one within the other: `address.city`. */
export function way(): z.ZodString {
  return z.string().regex(/^[^.]+(\.[^.]+)*$/, 'is no way of keys: write name, or address.city')
}
