import type { DescField, DescMessage } from '@bufbuild/protobuf'
import { fieldsByName } from '../field-path.ts'

/** What a JSON text is for: a message or, when `field` is given, one field of it. */
export interface JsonTarget {
  readonly message: DescMessage
  readonly field: DescField | undefined
}

/**
 * The path of the value at `offset`, by the names that the JSON itself uses: `book.tags[2]`, `book.attributes["a"]`; empty for the
 * whole. Only for JSON that was read up to there and found to be JSON.
 */
export function jsonPath(json: Buffer, offset: number, { message, field }: JsonTarget): string {
  const levels: Level[] = []
  const path = (): string => (field?.jsonName ?? '') + levels.map(segmentOf).join('')
  for (let i = 0; i < offset; i++) {
    const level = levels.at(-1)
    switch (json[i]) {
      case 0x7b:
      case 0x5b: {
        const scope = level === undefined ? (field === undefined ? message : scopeOf(field)) : level.inner
        const isList = json[i] === 0x5b
        levels.push({ scope, inner: undefined, name: undefined, index: isList ? 0 : -1, awaitsName: !isList })
        if (isList) enterItem(levels.at(-1))
        break
      }
      case 0x7d:
      case 0x5d:
        levels.pop()
        break
      case 0x2c:
        if (level === undefined) break
        if (level.index >= 0) level.index++
        else level.awaitsName = true
        break
      case 0x22: {
        const end = stringEnd(json, i)
        if (level?.awaitsName === true && end < offset)
          enterMember(level, textOf(json.toString('utf8', i, end + 1)))
        i = end
      }
    }
  }
  return path().replace(/^\./, '')
}

/** An object or a list that is open. */
interface Level {
  /** Of a message, a map or a list, if it is known. */
  readonly scope: Scope
  /** Of the value inside it that is being read. */
  inner: Scope
  /** Of the member that is being read. */
  name: string | undefined
  /** Of the item that is being read, -1 in objects. */
  index: number
  awaitsName: boolean
}

type Scope = DescMessage | DescField | undefined

function enterMember(level: Level, name: string): void {
  const { scope } = level
  level.name = name
  level.awaitsName = false
  if (scope?.kind === 'message') {
    const field = fieldsByName(scope).get(name)
    level.inner = field === undefined ? undefined : scopeOf(field)
  } else level.inner = scope?.message
}

function enterItem(level: Level | undefined): void {
  if (level !== undefined) level.inner = level.scope?.kind === 'field' ? level.scope.message : undefined
}

function scopeOf(field: DescField): Scope {
  if (field.fieldKind === 'list' || field.fieldKind === 'map') return field
  return freeTypes.has(field.message?.typeName ?? '') ? undefined : field.message
}

function segmentOf({ scope, name, index }: Level): string {
  if (index >= 0) return `[${index}]`
  if (name === undefined) return ''
  return scope?.kind === 'message' && /^\w+$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`
}

/** Where the quote at its end is. */
function stringEnd(json: Buffer, start: number): number {
  let i = start + 1
  while (i < json.length && json[i] !== 0x22) i += json[i] === 0x5c ? 2 : 1
  return i
}

function textOf(quoted: string): string {
  try {
    return String(JSON.parse(quoted))
  } catch {
    return quoted
  }
}

/** Any JSON object may stand for these: its members are keys. */
const freeTypes: ReadonlySet<string> = new Set(['google.protobuf.Struct', 'google.protobuf.Value'])
