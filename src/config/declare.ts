import { z } from 'zod'
import { messageOf } from '../core/message-of.ts'
import { parseTemplate } from '../routing/template.ts'

/** An object that may be left out because all of its keys have defaults. */
export function object<S extends z.ZodRawShape>(shape: S) {
  return z.strictObject(shape).prefault({} as never)
}

/** A name that becomes a label of logs and metrics. */
export function name(of: string) {
  return z
    .string()
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
      `${of} is named by letters, digits, ".", "_" and "-", at most 63 of them`,
    )
}

/** A path template in the grammar of google.api.http. */
export function template(): z.ZodString {
  return z.string().superRefine((text, context) => {
    try {
      parseTemplate(text)
    } catch (error) {
      context.addIssue(messageOf(error))
    }
  })
}
