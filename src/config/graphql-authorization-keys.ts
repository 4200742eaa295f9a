import { z } from 'zod'
import { authorizeKey } from './authorize-keys.ts'

const keys = z.strictObject({
  onRefused: z
    .enum(['filter', 'refuse'])
    .default('filter')
    .describe(
      'Of an operation that asks for fields which the caller is refused: filter answers the rest, with null in their place; refuse answers nothing. A mutation is always refused as a whole.',
    ),
  errors: z
    .enum(['errors', 'extensions', 'none'])
    .default('errors')
    .describe(
      'Where a filtered answer names what is refused: among the errors, in extensions.authorizationErrors, or nowhere.',
    ),
  reportOnly: z
    .boolean()
    .default(false)
    .describe('Whether nothing is refused, and the log says what would be (graphql.refused_fields).'),
  policies: z
    .record(z.string().min(1), authorizeKey)
    .default({})
    .describe(
      'What the policies of @policy ask of a caller, by their names. One that is not here refuses everybody.',
    ),
})

/** `graphql.authorization` */
export const authorizationKey = keys
  .superRefine(({ onRefused, errors }, context) => {
    if (onRefused !== 'refuse' || errors === 'errors') return
    const message = 'says where filtered answers name what is refused, and onRefused: refuse filters none'
    context.addIssue({ code: 'custom', path: ['errors'], message })
  })
  .prefault({})
  .describe(
    'Fields that the supergraph protects by @authenticated, @requiresScopes and @policy (docs/graphql-authorization.md).',
  )
