import { isRecord } from '../core/is-record.ts'

/** By what an item of a list is known, whatever else of it changes: its name, or all of it. Of a plugin with options: its only key. */
export function nameOfItem(item: unknown): string {
  if (!isRecord(item)) return String(item)
  const naming = names.find((name) => typeof item[name] === 'string')
  if (naming !== undefined) return `${naming} ${item[naming]}`
  const keys = Object.keys(item)
  return keys.length === 1 ? String(keys[0]) : JSON.stringify(item)
}

/** In the order in which they count. */
export const names = ['id', 'name', 'issuer', 'url', 'prefix'] as const
