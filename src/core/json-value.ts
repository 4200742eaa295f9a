import { isRecord } from './is-record.ts'

/** Deeper JSON is refused. */
export const maxJsonDepth = 100

/**
 * Parses JSON so that it can be written again as it was: whole numbers beyond 2^53 keep their digits (as what `JSON.rawJSON` makes).
 * Throws a SyntaxError for what is no JSON or is nested more than 100 levels deep.
 */
export function parseJson(text: string): unknown {
  const value: unknown = longNumber.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text)
  if (!shallowerThan(value, maxJsonDepth))
    throw new SyntaxError(`it is nested deeper than ${maxJsonDepth} levels`)
  return value
}

/** Whether a value has members of its own: an object, and no number that keeps its digits. */
export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return isRecord(value) && !isRawJSON(value)
}

/** A text, number or boolean as text; undefined for all other values, which have no one spelling. */
export function scalarText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return isRecord(value) && isRawJSON(value) ? value.rawJSON : undefined
}

/** The value at a way of keys and indexes; undefined when there is none. */
export function valueAt(value: unknown, way: readonly string[]): unknown {
  let at = value
  for (const key of way) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined
    if (Array.isArray(at) ? !/^\d+$/.test(key) : !isJsonObject(at)) return undefined
    at = (at as Readonly<Record<string, unknown>>)[key]
  }
  return at
}

/** Whether lists and objects stand in each other at most so many levels deep. */
export function shallowerThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (levels === 0) return false
  for (const inner of Object.values(value)) if (!shallowerThan(inner, levels - 1)) return false
  return true
}

/** Of the ECMAScript proposal "JSON.parse source text access", which TypeScript does not know yet. */
const { rawJSON, isRawJSON } = JSON as typeof JSON & {
  rawJSON(text: string): RawJson
  isRawJSON(value: unknown): value is RawJson
}

interface RawJson {
  readonly rawJSON: string
}

const longNumber = /\d{16}/

function keepDigits(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  const source = context?.source ?? ''
  return /^-?\d+$/.test(source) ? rawJSON(source) : value
}
