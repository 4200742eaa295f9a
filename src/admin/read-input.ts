import { isUtf8 } from 'node:buffer'
import { z } from 'zod'
import { GatewayError } from '../core/error.ts'
import { parseJson } from '../core/json-value.ts'
import { type AdminRoute, writes } from './admin-route.ts'
import { readFields } from './read-fields.ts'

/** The parameters of every write. */
export const writeQuery = {
  dryRun: z
    .enum(['true', 'false'], 'is true or false')
    .default('false')
    .transform((text) => text === 'true')
    .describe('Checks it and says what it would change, and changes nothing.'),
  message: z.string().max(500).optional().describe('Why, for the versions and the audit log.'),
}

/** Of a configuration; and of JSON unless a route says otherwise. */
export const maxConfigBytes = 10 * 1_048_576
export const maxJsonBytes = 1_048_576

/** The parameters that a route takes. */
export function queryOf(route: AdminRoute): z.ZodObject {
  const own = route.query ?? z.strictObject({})
  return writes(route) ? own.extend(writeQuery) : own
}

/** The parameters of a call, by the schema. Throws INVALID_ARGUMENT: who believes that an unknown one is a filter would take the whole list for what they asked for. */
export function readQuery(schema: z.ZodObject, search: string): Record<string, unknown> {
  const known = Object.keys(schema.shape)
  const sent: Record<string, string> = {}
  for (const [name, value] of new URLSearchParams(search)) {
    if (!known.includes(name)) {
      const there = known.length === 0 ? 'there is none' : `there are ${known.join(', ')}`
      throw invalid(name, `There is no parameter "${name.slice(0, 64)}" here; ${there}.`)
    }
    if (Object.hasOwn(sent, name)) throw invalid(name, `The parameter "${name}" is there twice.`)
    sent[name] = value
  }
  return readFields(schema, sent)
}

/** What was sent, by the schema of the route: nothing counts as `{}`. Throws INVALID_BODY and INVALID_ARGUMENT. */
export function readBody({ body, takes }: AdminRoute, bytes: Buffer): { body: unknown; text: string } {
  if (!isUtf8(bytes)) throw new GatewayError('INVALID_BODY', 'The body is not valid UTF-8.')
  const text = bytes.toString()
  if (takes === 'config') return { body: undefined, text }
  if (body === undefined) {
    if (text.trim() !== '' && text.trim() !== '{}')
      throw new GatewayError('INVALID_ARGUMENT', 'This takes no body.')
    return { body: undefined, text: '' }
  }
  return { body: readFields(body, text === '' ? {} : parsed(text)), text: '' }
}

function parsed(text: string): unknown {
  try {
    return parseJson(text)
  } catch (error) {
    const why = error instanceof SyntaxError ? error.message : 'it is nested too deep'
    throw new GatewayError('INVALID_BODY', `The body is no JSON: ${why}.`, { cause: error })
  }
}

function invalid(field: string, detail: string): GatewayError {
  const violations = [{ field: field.slice(0, 64), detail }]
  return new GatewayError('INVALID_ARGUMENT', detail, { violations })
}
