import type { Principal } from '../../core/principal.ts'

/** All that {@link identityHeaders} may give. */
export const identityHeaderNames = [
  'x-user-id',
  'x-user-issuer',
  'x-user-name',
  'x-user-role',
  'x-user-scopes',
  'x-consumer',
] as const

const maxValueLength = 256
const maxListLength = 2_048
/** Printable ASCII without the percent sign: stands as it is. */
const plain = /^[ -$&-~]*$/
const made = new WeakMap<Principal, readonly string[]>()

/**
 * The headers by which backends know the caller, flat; made once per principal. Values are printable ASCII of at most 256
 * characters, all else as percent-encoded UTF-8, and the percent sign too, so that `decodeURIComponent` gives the text back; what is
 * longer, or has characters of control, is left out.
 */
export function identityHeaders(principal: Principal): readonly string[] {
  const known = made.get(principal)
  if (known !== undefined) return known
  const headers: string[] = []
  const add = (name: string, value: string): void => {
    if (value !== '') headers.push(name, value)
  }
  add('x-user-id', whole(principal.id))
  add('x-user-issuer', whole(principal.issuer))
  add('x-user-name', whole(principal.name))
  add('x-user-role', list(principal.roles, ','))
  add('x-user-scopes', list(principal.scopes, ' '))
  add('x-consumer', whole(principal.consumer))
  made.set(principal, headers)
  return headers
}

/** Whether a value comes out of {@link headerText} whole; one that does not could be taken for another. */
export function survivesAsHeader(text: string): boolean {
  return text !== '' && decodeURIComponent(headerText(text)) === text
}

/** `''` for what would not come out of the header as it is: to say nothing is better than to name somebody else. */
function whole(text = ''): string {
  return survivesAsHeader(text) ? headerText(text) : ''
}

/** Text as a header value; what does not fit is left out, but never half an escape. */
export function headerText(text: string): string {
  if (text.length <= maxValueLength && plain.test(text)) return text.trim()
  let value = ''
  for (const character of text) {
    if (/\p{Cc}/u.test(character)) continue
    const next = /^[ -$&-~]$/.test(character) ? character : encodeURIComponent(character.toWellFormed())
    if (value.length + next.length > maxValueLength) break
    value += next
  }
  return value.trim()
}

/** A separator inside a value would make two of one, so it is encoded; values past 2,048 characters are left out. */
function list(values: readonly string[], separator: ',' | ' '): string {
  const encoded = separator === ',' ? '%2C' : '%20'
  let text = ''
  for (const value of values) {
    const next = whole(value).replaceAll(separator, encoded)
    if (next === '') continue
    if (text.length + next.length + 1 > maxListLength) break
    text += text === '' ? next : separator + next
  }
  return text
}
