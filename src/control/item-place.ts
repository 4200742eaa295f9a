import { isRecord } from '../core/is-record.ts'
import { type ItemKind, itemKinds } from './change.ts'

/** Where the items of a kind stand in a document, and how: by name in a map, by `id` in a list, or by plugin name in a list. */
interface KindPlace {
  readonly path: readonly string[]
  readonly shape: 'map' | 'list' | 'plugins'
}

/** The places of all kinds of items. */
export const kindPlaces: Readonly<Record<ItemKind, KindPlace>> = {
  routes: { path: ['routes'], shape: 'list' },
  upstreams: { path: ['upstreams'], shape: 'map' },
  consumers: { path: ['consumers'], shape: 'list' },
  plugins: { path: ['plugins'], shape: 'plugins' },
  subgraphs: { path: ['graphql', 'subgraphs'], shape: 'map' },
  grpcServices: { path: ['grpc', 'services'], shape: 'map' },
}

/** One item of a document. */
export interface PlacedItem {
  readonly id: string
  /** As it is written; of a plugin: its options. */
  readonly value: unknown
  /** Its last key below the place of its kind. */
  readonly key: string | number
}

/** The items of one kind, in the order of the document; what is malformed is left out. */
export function itemsOf(data: unknown, kind: ItemKind): readonly PlacedItem[] {
  const { path, shape } = kindPlaces[kind]
  const held = path.reduce<unknown>((value, key) => (isRecord(value) ? value[key] : undefined), data)
  if (shape === 'map') {
    if (!isRecord(held)) return []
    return Object.entries(held).map(([id, value]) => ({ id, value, key: id }))
  }
  if (!Array.isArray(held)) return []
  if (shape === 'list')
    return held.flatMap((value, key) =>
      isRecord(value) && typeof value.id === 'string' ? [{ id: value.id, value, key }] : [],
    )
  const seen = new Map<string, number>()
  return held.flatMap((value, key) => {
    const name = isRecord(value) ? Object.keys(value)[0] : value
    if (typeof name !== 'string') return []
    const count = (seen.get(name) ?? 0) + 1
    seen.set(name, count)
    const options = isRecord(value) ? (value[name] ?? {}) : {}
    return [{ id: count === 1 ? name : `${name}#${count}`, value: options, key }]
  })
}

/** The item with this id; undefined: there is none. */
export function itemOf(data: unknown, kind: ItemKind, id: string): PlacedItem | undefined {
  return itemsOf(data, kind).find((item) => item.id === id)
}

/** A document without the named things in it: its other sections by name, `graphql` and `grpc` without subgraphs and services. */
export function settingsOf(data: unknown): ReadonlyMap<string, unknown> {
  const sections = new Map(Object.entries(isRecord(data) ? data : {}))
  sections.delete('$schema')
  for (const kind of itemKinds) {
    const [section = '', inner] = kindPlaces[kind].path
    const value = sections.get(section)
    if (inner === undefined) sections.delete(section)
    else if (isRecord(value)) {
      const { [inner]: _, ...rest } = value
      sections.set(section, rest)
    }
  }
  return sections
}
