import { z } from 'zod'
import { authorizeKey } from './authorize-keys.ts'
import { template } from './declare.ts'

/** `auth.check`. */
export const authCheckKey = z
  .strictObject({
    path: template().default('/auth/check').describe('Where it is asked, by POST.'),
    authorize: authorizeKey.describe(
      'Who may ask about others; nobody where it says nothing. Every known caller may ask about himself.',
    ),
    perMinute: z.int().min(1).default(60).describe('Questions of one caller.'),
  })
  .optional()
  .describe(
    'Tells whether a request would be let in, and why not (docs/authorization.md); absent: not served.',
  )
