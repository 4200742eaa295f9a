import { isRecord } from '../../core/is-record.ts'
import type { Json } from '../json.ts'
import { placeOf } from './read-document.ts'

/** An object of a document and where it is. */
export interface Found {
  readonly value: Json
  readonly at: readonly string[]
}

/** What an object refers to in its document, through any number of references; itself when it is none. Throws an Error for what leads nowhere. */
export function resolvePointer(root: Json, written: Json, at: readonly string[]): Found {
  let found: Found = { value: written, at }
  const seen = new Set<string>()
  for (;;) {
    const { $ref } = found.value
    if (typeof $ref !== 'string') return found
    if (seen.has($ref)) throw new Error(`${placeOf(at)}: "${$ref.slice(0, 100)}" refers to itself`)
    seen.add($ref)
    found = lookUp(root, $ref, at)
  }
}

function lookUp(root: Json, $ref: string, at: readonly string[]): Found {
  const wrong = (): Error => new Error(`${placeOf(at)}: there is nothing at "${$ref.slice(0, 100)}"`)
  if (!$ref.startsWith('#/'))
    throw new Error(
      `${placeOf(at)}: "${$ref.slice(0, 100)}" leads out of the document; bundle it into one file`,
    )
  const way = $ref
    .slice(2)
    .split('/')
    .map((part) => decoded(part))
  let value: unknown = root
  for (const key of way) {
    const isThere = typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    if (!isThere) throw wrong()
    value = (value as Json)[key]
  }
  if (!isRecord(value)) throw wrong()
  return { value, at: way }
}

/** RFC 6901 section 6. */
function decoded(part: string): string {
  let text = part
  try {
    text = decodeURIComponent(part)
  } catch {
    // Then it stands for itself.
  }
  return text.replaceAll('~1', '/').replaceAll('~0', '~')
}
