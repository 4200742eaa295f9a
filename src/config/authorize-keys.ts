import { z } from 'zod'
import { textProblem } from '../core/text-template.ts'
import { object } from './declare.ts'

const value = z.union([z.string(), z.number(), z.boolean()])

const condition = z
  .union([value, z.array(value)], 'expected a text, a number, true, false, or a list of those')
  .superRefine((written, context) => {
    const values = [written].flat()
    if (values.length === 0) context.addIssue('an empty list is met by nobody')
    if (values.length > 1 && values.includes('*')) context.addIssue('"*" is any value: it stands alone')
    for (const text of values)
      if (typeof text === 'string') refuseText(text, (issue) => context.addIssue(issue))
  })

/** Only what the path says may stand in a text: there alone a value has one reading. */
function refuseText(text: string, addIssue: (message: string) => void): void {
  if (text === '') addIssue('an empty text is met by nobody')
  const other = /\$\{(?!path\.)[^}]*\}/.exec(text)?.[0]
  if (other !== undefined)
    addIssue(`"${other}" is no value of the path, and a claim is compared with no other`)
  if (/\$\{[^}]*:-/.test(text)) addIssue('takes nothing in place of a value that is not there')
  const message = textProblem(text)
  if (message !== undefined) addIssue(message)
}

/** `authorize`: of every place that takes requests, and of the endpoint that answers about them. */
export const authorizeKey = object({
  roles: z.array(z.string()).default([]).describe('The caller needs one of these.'),
  scopes: z.array(z.string()).default([]).describe('The caller needs all of these.'),
  anyScope: z.array(z.string()).default([]).describe('The caller needs one of these.'),
  consumers: z.array(z.string()).default([]).describe('The caller must be one of these consumers, by id.'),
  claims: z.record(z.string().min(1), condition).default({}).describe(
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it tells what may stand there
    'By claim of the token: its value, a list of values of which it has one, "*" for any, or the path\'s own: "${path.id}". Every claim must fit.',
  ),
}).describe('What a caller needs besides an identity: all of these (docs/authorization.md).')
