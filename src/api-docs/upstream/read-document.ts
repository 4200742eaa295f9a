import { parse } from 'yaml'
import { isRecord } from '../../core/is-record.ts'
import { messageOf } from '../../core/message-of.ts'
import type { Json } from '../json.ts'

/** The OpenAPI document of an upstream, checked as far as all of it is concerned. */
export interface UpstreamDocument {
  readonly root: Json
  /** Whether its schemas are those of OpenAPI 3.0. */
  readonly isOf30: boolean
  /** What stands before its paths; `''`: nothing. */
  readonly basePath: string
}

const maxDepth = 100
const maxValues = 200_000

/** What a text may be read as. */
export interface ReadOptions {
  /** Whether it may be YAML. */
  readonly yaml: boolean
  readonly maxBytes: number
  /** Instead of what its servers say. */
  readonly basePath?: string | undefined
}

/** Reads a document. Throws an Error that says what cannot be used, and where. */
export function readDocument(text: string, { yaml, maxBytes, basePath }: ReadOptions): UpstreamDocument {
  if (Buffer.byteLength(text) > maxBytes) throw new Error(`has more than ${maxBytes} bytes (maxBytes)`)
  const root = parsed(text, yaml)
  if (!isRecord(root)) throw new Error('is no OpenAPI document')
  if (root.swagger !== undefined)
    throw new Error(`is of Swagger ${String(root.swagger).slice(0, 8)}; convert it to OpenAPI 3`)
  const version = /^3\.[01]\b/.exec(String(root.openapi))?.[0]
  if (version === undefined)
    throw new Error(`is of OpenAPI ${String(root.openapi).slice(0, 20)}; 3.0 and 3.1 are read`)
  checkAll(root)
  if (!isRecord(root.paths)) throw new Error('paths: is no object')
  return { root, isOf30: version === '3.0', basePath: basePath ?? serverPath(root) }
}

function parsed(text: string, yaml: boolean): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (!yaml || text.trimStart().startsWith('{')) throw new Error(`is no JSON: ${messageOf(error)}`)
  }
  try {
    // To look for keys that stand twice takes a time by the square of their number.
    return parse(text, { uniqueKeys: false })
  } catch (error) {
    throw new Error(`is no YAML: ${messageOf(error).split('\n')[0]}`)
  }
}

/** What no part of a document may be: endless, a trap for who copies it, or somewhere else. */
function checkAll(root: unknown): void {
  let values = 0
  const visit = (value: unknown, at: readonly string[]): void => {
    if (++values > maxValues) throw new Error(`has more than ${maxValues} values`)
    if (typeof value !== 'object' || value === null) return
    if (at.length > maxDepth) throw new Error(`${placeOf(at)}: is nested deeper than ${maxDepth}`)
    for (const [key, inner] of Object.entries(value)) {
      const below = [...at, key]
      if (key === '__proto__') throw new Error(`${placeOf(at)}: "__proto__" is no name that is taken`)
      if (key === '$ref' && typeof inner === 'string' && !inner.startsWith('#/') && !isData(at))
        throw new Error(
          `${placeOf(at)}: "${inner.slice(0, 100)}" leads out of the document; bundle it into one file`,
        )
      visit(inner, below)
    }
  }
  visit(root, [])
}

/** Within an example a `$ref` is what it says. */
function isData(at: readonly string[]): boolean {
  return at.some((key) => key === 'example' || key === 'examples' || key === 'default' || key === 'enum')
}

/** A place of a document, for people: `paths./users.get`. */
export function placeOf(at: readonly string[]): string {
  const text = at.slice(0, 12).join('.')
  return at.length === 0 ? 'the document' : text.length > 200 ? `${text.slice(0, 200)}…` : text
}

/** OpenAPI 3.1.1 section 4.8.5: paths are relative to the URL of a server. */
function serverPath({ servers }: Json): string {
  const [first] = Array.isArray(servers) ? servers : []
  const url: unknown = isRecord(first) ? first.url : undefined
  if (typeof url !== 'string' || url.includes('{')) return ''
  const { pathname } = URL.canParse(url, 'http://upstream')
    ? new URL(url, 'http://upstream')
    : { pathname: '/' }
  return pathname.replace(/\/+$/, '')
}
