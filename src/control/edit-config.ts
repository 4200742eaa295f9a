import { isDeepStrictEqual } from 'node:util'
import { GatewayError } from '../core/error.ts'
import { isRecord } from '../core/is-record.ts'
import type { ConfigEdit, ItemKind } from './change.ts'
import { ConfigText } from './config-text.ts'
import { itemOf, itemsOf, kindPlaces } from './item-place.ts'
import { mergePatch } from './merge-patch.ts'
import { referrers } from './referrers.ts'

/** The text after these edits, in their order. Throws INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS and REFERENCED. */
export function editConfig(text: string, edits: readonly ConfigEdit[]): string {
  const last = edits.at(-1)
  let edited = new ConfigText(text)
  const deleted: { readonly kind: ItemKind; readonly id: string }[] = []
  for (const edit of edits) {
    if (edit.op === 'replace') edited = new ConfigText(edit.text)
    else if (edit.op === 'merge') edited.set([], mergedDocument(edited.data, edit.value))
    else if (edit.op === 'delete') {
      const { key } = existing(edited.data, edit)
      edited.set([...kindPlaces[edit.kind].path, key], undefined)
      deleted.push(edit)
    } else write(edited, edit)
  }
  // At the end: what refers to it may be deleted by the same edits.
  for (const { kind, id } of deleted) refuseReferenced(edited.data, kind, id)
  // As it was sent, when nothing was changed in it.
  return last?.op === 'replace' ? last.text : edited.toString()
}

function write(edited: ConfigText, edit: Exclude<ConfigEdit, { op: 'replace' | 'merge' | 'delete' }>): void {
  const { op, kind, id } = edit
  const { path, shape } = kindPlaces[kind]
  const { data } = edited
  const known = op === 'patch' ? existing(data, edit) : itemOf(data, kind, id)
  if (op === 'create' && known !== undefined)
    throw new GatewayError('ALREADY_EXISTS', `There is "${id}" in ${kind} already: PUT replaces it.`)
  const value = op === 'patch' ? mergePatch(known?.value, edit.value) : (edit.value ?? {})
  if (!isRecord(value)) throw new GatewayError('INVALID_ARGUMENT', `${kind} "${id}" is written as an object.`)
  if (shape === 'list' && value.id !== undefined && value.id !== id)
    throw new GatewayError('INVALID_ARGUMENT', `The id in what was sent is not "${id}".`)
  const written = shape === 'list' ? { id, ...value } : shape === 'plugins' ? pluginItem(id, value) : value
  if (shape === 'map') edited.set([...path, id], written)
  else if (known !== undefined) edited.set([...path, known.key], written)
  else edited.insert(path, written, op === 'create' ? positionOf(data, edit) : undefined)
}

/** The index in the list of the item that it is to stand before. */
function positionOf(data: unknown, { kind, before }: { kind: ItemKind; before?: string | undefined }) {
  if (before === undefined) return undefined
  return Number(existing(data, { kind, id: before }).key)
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
  return mergePatch(data, patch)
}

function refuseReferenced(data: unknown, kind: ItemKind, id: string): void {
  if (itemsOf(data, kind).some((item) => item.id === id)) return
  const found = referrers(data, kind, id)
  if (found.length === 0) return
  const text = `"${id}" cannot go: ${found.join(', ')} ${found.length === 1 ? 'refers' : 'refer'} to it.`
  throw new GatewayError('REFERENCED', text, {
    violations: found.map((field) => ({ field, detail: `refers to "${id}"` })),
  })
}
