import type { z } from 'zod'
import { GatewayError } from '../core/error.ts'

/** What was sent to the admin API, by its schema. Throws INVALID_ARGUMENT with every place that is wrong. */
export function readFields<S extends z.ZodType>(schema: S, sent: unknown): z.output<S> {
  const read = schema.safeParse(sent)
  if (read.success) return read.data
  const violations = read.error.issues.map(({ path, message }) => ({
    field: path.map((part) => `/${String(part)}`).join(''),
    detail: message,
  }))
  throw new GatewayError('INVALID_ARGUMENT', 'Some of what was sent is not valid.', { violations })
}
