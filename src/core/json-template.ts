import type { Exchange } from './exchange.ts'
import { isRecord } from './is-record.ts'
import { compileText, type Place, renderText, type TextTemplate, type Value } from './text-template.ts'

/** A JSON value for one exchange; undefined when it is a value that is not there. */
export type JsonTemplate = (x: Exchange) => unknown

/**
 * Compiles JSON in whose texts values may stand. A text that is one value and nothing else becomes that value with its type, and its
 * member is left out when it is not there (in a list it is null). Throws an Error for values that the place has not.
 */
export function compileJson(value: unknown, place: Place): JsonTemplate {
  if (typeof value === 'string') return compileTextAsJson(compileText(value, place))
  if (Array.isArray(value)) {
    const items = value.map((item) => compileJson(item, place))
    return (x) => items.map((item) => item(x) ?? null)
  }
  if (!isRecord(value)) return () => value
  const members = Object.entries(value).map(([key, item]) => [key, compileJson(item, place)] as const)
  return (x) => {
    const filled = members.map(([key, item]) => [key, item(x)] as const)
    return Object.fromEntries(filled.filter(([, item]) => item !== undefined))
  }
}

/** The one value that a text consists of; undefined when there is more, or none. */
export function onlyValue(text: TextTemplate): Value | undefined {
  const [part] = text
  return text.length === 1 && typeof part === 'object' ? part : undefined
}

function compileTextAsJson(text: TextTemplate): JsonTemplate {
  const value = onlyValue(text)
  if (value === undefined) return (x) => renderText(text, x, (found = '') => found)
  const read = value.json ?? value.read
  return (x) => {
    const found = read(x)
    return found === undefined ? value.fallback : found
  }
}
