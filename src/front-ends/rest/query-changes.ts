import type { Exchange } from '../../core/exchange.ts'
import { messageOf } from '../../core/message-of.ts'
import { compileText, type Place, renderText, type TextTemplate } from '../../core/text-template.ts'

/** Changes to the query; texts may have values in them. */
export interface QueryChanges {
  readonly remove: readonly string[]
  /** Replaces every parameter of the name. */
  readonly set: Readonly<Record<string, string>>
  /** Beside what is there of the name. */
  readonly add: Readonly<Record<string, string>>
}

/**
 * Compiles changes to the query; undefined when there are none. What is not named stays byte for byte, in its order. A parameter whose text
 * comes out empty is not written; what it replaces is gone all the same.
 */
export function compileQueryChanges(
  { remove, set, add }: QueryChanges,
  place: Place,
): ((x: Exchange) => string) | undefined {
  const gone = new Set([...remove, ...Object.keys(set)])
  const written = [...Object.entries(set), ...Object.entries(add)].map(([name, text]): Parameter => {
    try {
      return { name: encodeURIComponent(name), text: compileText(text, place) }
    } catch (error) {
      throw new Error(`rewrite.query "${name}": ${messageOf(error)}`)
    }
  })
  if (gone.size === 0 && written.length === 0) return undefined
  return (x) => {
    const { query } = x.request
    const parts = query === '' ? [] : query.split('&').filter((part) => !gone.has(nameOf(part)))
    for (const { name, text } of written) {
      const value = renderText(text, x, (found) => found ?? '')
      if (value !== '') parts.push(`${name}=${encodeURIComponent(value.toWellFormed())}`)
    }
    return parts.join('&')
  }
}

interface Parameter {
  /** Percent-encoded. */
  readonly name: string
  readonly text: TextTemplate
}

/** The name of a parameter as forms encode it (WHATWG URL, section 5.1): decoded, bytes that are not UTF-8 replaced. */
function nameOf(part: string): string {
  for (const name of new URLSearchParams(part).keys()) return name
  return ''
}
