import { claim } from './claim.ts'
import type { Exchange } from './exchange.ts'
import type { Protocol } from './front-end.ts'
import { classifyRequestHeader } from './headers.ts'
import { messageOf } from './message-of.ts'

/** What may be named in the texts of one place of the configuration. */
export interface Place {
  /** The protocol of the place; undefined for the global list, which has all of them. */
  readonly protocol: Protocol | undefined
  /** How a variable of the place's path template is read; undefined when the template has none of that name. */
  variable(name: string): PathVariable | undefined
  /** Lower-case names of request headers with credentials, beside the usual ones. */
  readonly credentialHeaders: ReadonlySet<string>
  /** Values that only this place has, `parts.user.id`; undefined for a name that is none of them. Throws an Error for one that is wrong. */
  own?(name: ValueName): ValueReader | undefined
}

/** A name in a text, at its first dot: `path` and `id`. */
export interface ValueName {
  readonly kind: string
  readonly key: string
}

/** Reads the variable of a path template from an exchange. */
export interface PathVariable {
  /** Percent-decoded. */
  decoded(x: Exchange): string
  /** As it stands in the canonical path. */
  raw(x: Exchange): string
}

/** Text with values of the exchange in it, compiled when configuration loads. */
export type TextTemplate = readonly (string | Value)[]

/** How a value is read from an exchange. */
export interface ValueReader {
  /** Undefined when there is no such value in this exchange. */
  read(x: Exchange): string | undefined
  /** The value as it stands in the path; only of path variables. */
  readonly raw?: (x: Exchange) => string
  /** The value with its type, of what may be other than a text; undefined when it is not there. */
  readonly json?: (x: Exchange) => unknown
  /** All values of the name, of what may be there more than once. */
  readonly list?: (x: Exchange) => readonly string[]
}

/** One `${name}` of a text. */
export interface Value extends ValueReader {
  /** `path.id`, `claim.sub` */
  readonly name: string
  /** Stands in for a value that is not there. */
  readonly fallback: string | undefined
}

/**
 * What is wrong with a text, as far as can be said without its place; undefined when nothing is. Names have a dot and
 * environment variables do not, so that the two never meet. `own` says which names only the place knows; by default there are none.
 */
export function textProblem(text: string, own: (name: ValueName) => boolean = none): string | undefined {
  try {
    parseText(text, (name) => (own(name) ? { read: () => undefined } : reader(name)))
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

/** Compiles a text for its place. Throws an Error for a name that has no value there, or one that must not be passed on. */
export function compileText(text: string, place: Place): TextTemplate {
  return parseText(text, (name) => {
    const own = place.own?.(name)
    if (own !== undefined) return own
    const { kind, key } = name
    if (kind === 'path') {
      const variable = place.variable(key)
      if (variable === undefined) throw new Error(`the path of this place has no variable "${key}"`)
      return { read: variable.decoded, raw: variable.raw }
    }
    if (kind === 'header' && place.credentialHeaders.has(key.toLowerCase())) throw new Error(secret(key))
    return reader(name)
  })
}

/** Whether a text is the same for every exchange. */
export function isLiteral(text: TextTemplate): boolean {
  return text.every((part) => typeof part === 'string')
}

/** The text for one exchange; `spell` brings values into the form that they need where the text stands. */
export function renderText(
  text: TextTemplate,
  x: Exchange,
  spell: (value: string | undefined, part: Value) => string,
): string {
  let rendered = ''
  for (let i = 0; i < text.length; i++) {
    const part = text[i] as string | Value
    rendered += typeof part === 'string' ? part : spell(part.read(x) ?? part.fallback, part)
  }
  return rendered
}

function none(): false {
  return false
}

function parseText(text: string, find: (name: ValueName) => ValueReader): TextTemplate {
  const parts: (string | Value)[] = []
  let at = 0
  for (;;) {
    const start = text.indexOf('${', at)
    const literal = text.slice(at, start === -1 ? text.length : start)
    if (literal !== '') parts.push(literal)
    if (start === -1) return parts
    const end = text.indexOf('}', start)
    if (end === -1) throw new Error(`"${text.slice(start)}" has no "}"`)
    const [name = '', fallback] = text.slice(start + 2, end).split(/:-(.*)/s)
    const [kind = '', key = ''] = name.split(/\.(.*)/s)
    if (key === '') throw new Error(`"\${${name}}" names no value; ${known}`)
    parts.push({ name, fallback, ...find({ kind, key }) })
    at = end + 1
  }
}

function reader({ kind, key }: ValueName): ValueReader {
  switch (kind) {
    case 'path':
      return { read: () => undefined }
    case 'query':
      return {
        read: (x) => new URLSearchParams(x.request.query).get(key) ?? undefined,
        list: (x) => new URLSearchParams(x.request.query).getAll(key),
      }
    case 'header':
      return headerReader(key.toLowerCase())
    case 'claim':
      return { read: (x) => plainText(claimOf(x, key)), json: (x) => claimOf(x, key) }
    default: {
      const name = `${kind}.${key}`
      const read = fixed[name]
      if (read === undefined) throw new Error(`there is no value "${name}"; ${known}`)
      const list = lists[name]
      return list === undefined ? { read } : { read, list }
    }
  }
}

/** Only what a client may say of itself: what the gateway establishes has names of its own. */
function headerReader(name: string): ValueReader {
  if (!/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) throw new Error(`"${name}" is no header name`)
  const kind = classifyRequestHeader(name)
  if (kind === 'credential' || name === 'cookie') throw new Error(secret(name))
  if (kind === 'drop') {
    const message = `a client's own "${name}" is not believed; use \${user.id}, \${client.address}, \${request.id} and the like`
    throw new Error(message)
  }
  return { read: (x) => x.header(name) }
}

function secret(name: string): string {
  return `the header "${name}" holds credentials, which are not passed on; see forwardCredentials`
}

const fixed: Readonly<Record<string, Value['read']>> = {
  'user.id': (x) => x.principal?.id,
  'user.name': (x) => x.principal?.name,
  'user.roles': (x) => x.principal?.roles.join(','),
  'user.scopes': (x) => x.principal?.scopes.join(' '),
  'user.consumer': (x) => x.principal?.consumer,
  'request.id': (x) => x.id,
  'request.method': (x) => x.request.method,
  'request.path': (x) => x.request.path,
  'request.host': (x) => x.request.host,
  'request.scheme': (x) => x.request.scheme,
  'client.address': (x) => x.request.clientAddress,
  'route.id': (x) => x.route.id,
  'trace.id': (x) => x.trace.traceId,
}

const lists: Readonly<Record<string, (x: Exchange) => readonly string[]>> = {
  'user.roles': (x) => x.principal?.roles ?? [],
  'user.scopes': (x) => x.principal?.scopes ?? [],
}

function claimOf(x: Exchange, key: string): unknown {
  return claim(x.principal?.claims ?? {}, key)
}

const known = `values are path.<variable>, query.<name>, header.<name>, claim.<name>, ${Object.keys(fixed).join(', ')}`

/** Claims that are texts, numbers, true or false, or a list of those; others have no one spelling. */
function plainText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (!Array.isArray(value)) return undefined
  const texts = value.map(plainText)
  return texts.includes(undefined) ? undefined : texts.join(',')
}
