import { isRecord } from '../core/is-record.ts'
import type { ItemKind } from './change.ts'

/** The keys whose values name an item of these kinds. */
const naming: Partial<Record<ItemKind, { readonly one: string; readonly many?: string }>> = {
  upstreams: { one: 'upstream' },
  consumers: { one: 'consumer', many: 'consumers' },
}

/** Where a document names an item: `routes/users canary.upstream`, `upstreams/users fallback.upstream`. */
export function referrers(data: unknown, kind: ItemKind, id: string): readonly string[] {
  const names = naming[kind]
  if (names === undefined || !isRecord(data)) return []
  const found: string[] = []
  const look = (value: unknown, path: readonly string[]): void => {
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries())
        look(item, [...path, isRecord(item) ? String(item.id ?? index) : String(index)])
    } else if (isRecord(value)) {
      for (const [key, member] of Object.entries(value)) {
        const isNamed = key === names.one && member === id
        const isListed = key === names.many && path.length > 0 && Array.isArray(member) && member.includes(id)
        if (isNamed || isListed) found.push(written([...path, key]))
        else look(member, [...path, key])
      }
    }
  }
  look(data, [])
  return found
}

/** `routes/users canary.upstream` */
function written([section = '', name, ...rest]: readonly string[]): string {
  const item = name === undefined ? section : `${section}/${name}`
  return rest.length === 0 ? item : `${item} ${rest.join('.')}`
}
