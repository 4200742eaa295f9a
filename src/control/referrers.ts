import { isRecord } from '../core/is-record.ts'
import type { ItemKind } from './change.ts'

/** The keys whose values name an item of these kinds. */
const naming: Partial<Record<ItemKind, { readonly one: string; readonly many?: string }>> = {
  upstreams: { one: 'upstream' },
  consumers: { one: 'consumer', many: 'consumers' },
}

/** Where a document names the items of a kind, by their ids: `routes/users canary.upstream`, `upstreams/users fallback.upstream`. */
export function referrers(data: unknown, kind: ItemKind): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  const names = naming[kind]
  if (names === undefined || !isRecord(data)) return found
  const note = (id: unknown, path: readonly string[]): void => {
    if (typeof id !== 'string') return
    const places = found.get(id) ?? []
    places.push(written(path))
    found.set(id, places)
  }
  const look = (value: unknown, path: readonly string[]): void => {
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries())
        look(item, [...path, isRecord(item) ? String(item.id ?? index) : String(index)])
    } else if (isRecord(value)) {
      for (const [key, member] of Object.entries(value)) {
        const place = [...path, key]
        if (key === names.one) note(member, place)
        else if (key === names.many && path.length > 0 && Array.isArray(member))
          for (const id of new Set(member)) note(id, place)
        look(member, place)
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
