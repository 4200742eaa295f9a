/** Whether an object anywhere in valid JSON has two members of one name, however its characters are escaped. `value`: what it is, where that is known. */
export function hasDuplicateMembers(json: string, value: unknown = JSON.parse(json)): boolean {
  return membersWritten(json) !== jsonSize(value).members
}

/** How many members the objects in valid JSON have, those of one name included. */
export function membersWritten(json: string): number {
  let count = 0
  let start = json.indexOf('"')
  while (start !== -1) {
    let end = json.indexOf('"', start + 1)
    while (isEscaped(json, end)) end = json.indexOf('"', end + 1)
    let next = end + 1
    while (json.charCodeAt(next) <= space) next++
    if (json.charCodeAt(next) === colon) count++
    start = json.indexOf('"', next)
  }
  return count
}

function isEscaped(json: string, quote: number): boolean {
  let first = quote
  while (json.charCodeAt(first - 1) === backslash) first--
  return (quote - first) % 2 === 1
}

/** How large a value is that came out of JSON. */
export interface JsonSize {
  /** Of all objects in it. */
  readonly members: number
  /** Lists and objects that stand in each other; 0: it is none. */
  readonly levels: number
}

/** Measures a value of any depth, one level after the other, down to the first that is deeper than `maxLevels`. */
export function jsonSize(value: unknown, maxLevels = Number.POSITIVE_INFINITY): JsonSize {
  let members = 0
  let levels = 0
  let level = isNested(value) ? [value] : []
  while (level.length > 0 && levels <= maxLevels) {
    levels++
    const next: object[] = []
    for (const one of level) {
      const values = Object.values(one)
      if (!Array.isArray(one)) members += values.length
      for (const inner of values) if (isNested(inner)) next.push(inner)
    }
    level = next
  }
  return { members, levels }
}

/** Whether lists and objects stand deeper than that in each other in JSON text, which is not parsed for it; of what is no JSON it says anything. */
export function isDeeperText(json: string, levels: number): boolean {
  let depth = 0
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at)
    if (code === quote) {
      do at = json.indexOf('"', at + 1)
      while (at !== -1 && isEscaped(json, at))
      if (at === -1) return false
    } else if (code === openList || code === openObject) {
      if (++depth > levels) return true
    } else if (code === closeList || code === closeObject) depth--
  }
  return false
}

function isNested(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

const space = 0x20
const colon = 0x3a
const backslash = 0x5c
const quote = 0x22
const [openList, closeList, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d]
