import { isDeepStrictEqual } from 'node:util'
import { GatewayError } from '../core/error.ts'
import { isRecord } from '../core/is-record.ts'
import type { ConfigEdit, ItemKind } from './change.ts'
import { ConfigText } from './config-text.ts'
import { containerOf, itemOf, kindPlaces } from './item-place.ts'
import { mergePatch } from './merge-patch.ts'
import { referrers } from './referrers.ts'

/** A text of a configuration, and what it says as it is written. */
export interface ReadConfig {
  readonly text: string
  readonly data: unknown
}

/** A text read. Throws INVALID_BODY for what is no YAML. */
export function readConfig(text: string): ReadConfig {
  return { text, data: new ConfigText(text).data }
}

/** The text after these edits, in their order. Throws INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS and REFERENCED. */
export function editConfig(text: string, edits: readonly ConfigEdit[]): ReadConfig {
  const last = edits.at(-1)
  let edited = new ConfigText(text)
  let { data } = edited
  const deleted: { readonly kind: ItemKind; readonly id: string }[] = []
  for (const edit of edits) {
    if (edit.op === 'replace') {
      edited = new ConfigText(edit.text)
      data = edited.data
    } else if (edit.op === 'merge') data = mergedDocument(data, edit.value)
    else if (edit.op === 'delete') {
      remove(data, edit)
      deleted.push(edit)
    } else put(data, edit)
  }
  // At the end: what refers to it may be deleted by the same edits.
  const gone = deleted.filter(({ kind, id }) => itemOf(data, kind, id) === undefined)
  for (const [kind, items] of Map.groupBy(gone, ({ kind }) => kind)) refuseReferenced(data, kind, items)
  // As it was sent, when nothing was changed in it.
  if (last?.op === 'replace') return { text: last.text, data }
  edited.set(data)
  return { text: edited.toString(), data }
}

function put(data: unknown, edit: Exclude<ConfigEdit, { op: 'replace' | 'merge' | 'delete' }>): void {
  const { op, kind, id } = edit
  if (id === '__proto__') throw new GatewayError('INVALID_ARGUMENT', 'This name cannot be used.')
  const { shape } = kindPlaces[kind]
  const known = op === 'patch' ? existing(data, edit) : itemOf(data, kind, id)
  if (op === 'create' && known !== undefined)
    throw new GatewayError('ALREADY_EXISTS', `There is "${id}" in ${kind} already: PUT replaces it.`)
  const value = op === 'patch' ? mergePatch(known?.value, edit.value) : (edit.value ?? {})
  if (!isRecord(value)) throw new GatewayError('INVALID_ARGUMENT', `${kind} "${id}" is written as an object.`)
  if (shape === 'list' && value.id !== undefined && value.id !== id)
    throw new GatewayError('INVALID_ARGUMENT', `The id in what was sent is not "${id}".`)
  const written = shape === 'list' ? { id, ...value } : shape === 'plugins' ? pluginItem(id, value) : value
  const container = containerOf(data, kind)
  if (!Array.isArray(container)) container[id] = written
  else if (known !== undefined) container[Number(known.key)] = written
  else container.splice(positionOf(data, edit) ?? container.length, 0, written)
}

function remove(data: unknown, edit: { readonly kind: ItemKind; readonly id: string }): void {
  const { key } = existing(data, edit)
  const container = containerOf(data, edit.kind)
  if (Array.isArray(container)) container.splice(Number(key), 1)
  else delete container[key]
}

/** The index in the list of the item that it is to stand before. */
function positionOf(
  data: unknown,
  edit: { readonly kind: ItemKind; readonly before?: string | undefined },
): number | undefined {
  const { kind, before: id } = edit
  return id === undefined ? undefined : Number(existing(data, { kind, id }).key)
}

function existing(data: unknown, { kind, id }: { readonly kind: ItemKind; readonly id: string }) {
  const item = itemOf(data, kind, id)
  if (item === undefined) throw new GatewayError('NOT_FOUND', `There is no "${id}" in ${kind}.`)
  return item
}

/** A plugin without options is written by its name alone. `rateLimit#2` is the second of its name. */
function pluginItem(id: string, options: object): unknown {
  const name = id.replace(/#\d+$/, '')
  return isDeepStrictEqual(options, {}) ? name : { [name]: options }
}

function mergedDocument(data: unknown, patch: unknown): unknown {
  if (!isRecord(patch))
    throw new GatewayError('INVALID_ARGUMENT', 'A patch of the configuration is an object.')
  return structuredClone(mergePatch(data, patch))
}

function refuseReferenced(data: unknown, kind: ItemKind, gone: readonly { readonly id: string }[]): void {
  const places = referrers(data, kind)
  const id = gone.find((item) => places.has(item.id))?.id
  const found = id === undefined ? [] : (places.get(id) ?? [])
  if (found.length === 0) return
  const text = `"${id}" cannot go: ${found.join(', ')} ${found.length === 1 ? 'refers' : 'refer'} to it.`
  throw new GatewayError('REFERENCED', text, {
    violations: found.map((field) => ({ field, detail: `refers to "${id}"` })),
  })
}
