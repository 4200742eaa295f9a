import { createHash } from 'node:crypto'
import { GatewayError } from '../core/error.ts'
import type { ConfigEdit } from './change.ts'
import { ConfigText } from './config-text.ts'
import { itemOf } from './item-place.ts'

/** `ifMatch`: of the item that the only edit is about, else of the whole. Throws PRECONDITION_FAILED. */
export function requireMatch(text: string, edits: readonly ConfigEdit[], ifMatch: string | undefined): void {
  if (ifMatch === undefined) return
  const [edit] = edits
  const isOfItem = edits.length === 1 && edit !== undefined && 'kind' in edit
  const item = isOfItem ? itemOf(new ConfigText(text).data, edit.kind, edit.id) : undefined
  const current = isOfItem ? item && etagOf(JSON.stringify(item.value)) : etagOf(text)
  const sent = ifMatch.split(',').map((tag) => tag.trim())
  if (current !== undefined && (sent.includes('*') || sent.includes(current))) return
  const now = current === undefined ? 'it is not there' : `it is ${current} now`
  throw new GatewayError('PRECONDITION_FAILED', `It was changed since it was read: ${now}.`, {
    headers: current === undefined ? [] : ['ETag', current],
  })
}

/** Strong (RFC 9110 section 8.8.3). */
export function etagOf(text: string): string {
  return `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`
}
