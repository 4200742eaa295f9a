import { z } from 'zod'
import { textProblem, type ValueName } from '../core/text-template.ts'

/** Which names of values only the place of a text knows. */
type Own = (name: ValueName) => boolean

/** A text with values in it. */
export function valueText(own?: Own): z.ZodString {
  return z.string().superRefine((value, context) => {
    const message = textProblem(value, own)
    if (message !== undefined) context.addIssue(message)
  })
}

/** A path with values in it: what is written out is spelled as paths are. */
export function pathText(own?: Own): z.ZodString {
  return z
    .string()
    .startsWith('/')
    .superRefine((text, context) => {
      const message = textProblem(text, own) ?? pathProblem(withoutValues(text))
      if (message !== undefined) context.addIssue(message)
    })
}

/** JSON with values in its texts. */
export function jsonWithTexts(own?: Own): z.ZodUnknown {
  return z.unknown().superRefine((value, context) => {
    for (const { path, message } of jsonProblems(value, own))
      context.addIssue({ code: 'custom', path: [...path], message })
  })
}

/** What stands where values stand matters to nobody but the reader of the rest. */
export function withoutValues(text: string): string {
  return text.replace(/\$\{[^}]*\}/g, 'x')
}

/** What is wrong with a path that is written out; undefined when nothing is. */
export function pathProblem(path: string): string | undefined {
  if (!/^(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*$/.test(path))
    return 'holds a character that does not belong into a path'
  if (path.split('/').some((segment) => /^(?:\.|%2e){1,2}$/i.test(segment))) return 'holds a dot segment'
  return path.slice(0, -1).includes('//') ? 'holds an empty segment' : undefined
}

interface Found {
  readonly path: readonly (string | number)[]
  readonly message: string
}

function jsonProblems(
  value: unknown,
  own: Own | undefined,
  path: readonly (string | number)[] = [],
): Found[] {
  if (typeof value === 'string') {
    const message = textProblem(value, own)
    return message === undefined ? [] : [{ path, message }]
  }
  if (Array.isArray(value)) return value.flatMap((item, index) => jsonProblems(item, own, [...path, index]))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, item]) => jsonProblems(item, own, [...path, key]))
}
