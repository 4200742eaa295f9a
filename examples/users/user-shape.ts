import { valueAt } from '../json-pointer.ts'
import type { Person } from '../people.ts'
import { type FieldError, invalidFields } from '../problem.ts'

/** The two shapes that the users service speaks: 1 is flat, 2 nests name and contact and adds links. */
export type UsersVersion = 1 | 2

/** What is kept of a user, whatever the version it came in. */
export type User = Pick<Person, 'id' | 'first' | 'last' | 'email'>

/** Spells a user in the shape of one version. Links carry the public prefix, which the gateway strips. */
export function writeUser(user: User, version: UsersVersion): object {
  const { id, first, last, email } = user
  if (version === 1) return { id, name: `${first} ${last}`.trim(), email }
  return { id, name: { first, last }, contact: { email }, links: { self: `/v2/users/${id}` } }
}

/** Reads a new user in the shape of one version. Throws a 422 `Problem` that names each bad field. */
export function readUser(body: unknown, version: UsersVersion): Omit<User, 'id'> {
  const errors: FieldError[] = []
  const textAt = (pointer: string): string => {
    const value = valueAt(body, pointer)
    if (typeof value === 'string' && value.trim() !== '' && value.length <= 200) return value.trim()
    errors.push({ pointer, detail: 'must be a text of 1 to 200 characters' })
    return ''
  }
  const emailPointer = version === 1 ? '/email' : '/contact/email'
  const email = textAt(emailPointer)
  if (email && !/^[^\s@]+@[^\s@]+$/.test(email)) {
    errors.push({ pointer: emailPointer, detail: 'must be an email address' })
  }
  const [first = '', ...last] =
    version === 1 ? textAt('/name').split(/\s+/) : [textAt('/name/first'), textAt('/name/last')]
  if (errors.length > 0) throw invalidFields(errors)
  return { first, last: last.join(' '), email }
}
