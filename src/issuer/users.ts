import { hash } from 'node:crypto'
import { messageOf } from '../core/message-of.ts'
import { costOf, type PasswordHash, parsePasswordHash, unfittingHash } from './password-hash.ts'
import { prepareUserName } from './prepared-text.ts'

/** A user as it is configured. */
export interface UserEntry {
  /** What is typed in at a login. */
  readonly name: string
  /** The subject of the tokens; the name when absent. */
  readonly id?: string | undefined
  /** In PHC format; `''`: the user cannot log in. */
  readonly passwordHash: string
  readonly displayName?: string | undefined
  readonly roles: readonly string[]
  readonly scopes: readonly string[]
  readonly disabled: boolean
}

/** Somebody who may log in. */
export interface User {
  readonly id: string
  readonly displayName: string | undefined
  readonly roles: readonly string[]
  readonly scopes: readonly string[]
  readonly passwordHash: PasswordHash | undefined
  /** Another one when the password is: sessions and tokens (claim `cred`) from before end with it. It tells nothing of the password. */
  readonly mark: string
}

/** A mistake in the list of users, by its place there. */
export class UserMistake extends Error {
  readonly index: number
  readonly key: 'name' | 'id' | 'passwordHash'

  constructor(index: number, key: UserMistake['key'], message: string) {
    super(message)
    this.index = index
    this.key = key
  }
}

/** All who may log in; those that are disabled are not among them. */
export class Users {
  /** What is checked for names that nobody has, so that it takes as long as for those that somebody has. */
  readonly stranger: PasswordHash
  /** Whether all passwords are hashed by the same parameters: the time of a login tells nothing then. */
  readonly alike: boolean
  readonly #byName = new Map<string, User>()
  readonly #byId = new Map<string, User>()

  /** Throws a UserMistake. */
  constructor(entries: readonly UserEntry[]) {
    const names = new Set<string>()
    const ids = new Set<string>()
    const costs = new Set<string>()
    let usual: PasswordHash | undefined
    entries.forEach((entry, index) => {
      const { name, displayName, roles, scopes } = entry
      const prepared = prepareUserName(name)
      if (prepared === undefined)
        throw new UserMistake(index, 'name', 'must have 1 to 256 characters, none of control')
      if (names.has(prepared))
        throw new UserMistake(
          index,
          'name',
          `"${name}" stands twice: names are compared without regard to case`,
        )
      const id = entry.id ?? name
      if (ids.has(id)) throw new UserMistake(index, 'id', `the id "${id}" stands twice`)
      names.add(prepared)
      ids.add(id)
      const passwordHash = hashOf(entry, index)
      if (passwordHash !== undefined) {
        usual ??= passwordHash
        costs.add(costOf(passwordHash))
      }
      if (entry.disabled) return
      const mark = hash('sha256', entry.passwordHash, 'base64url').slice(0, 16)
      const user: User = { id, displayName, roles, scopes, passwordHash, mark }
      this.#byName.set(prepared, user)
      this.#byId.set(id, user)
    })
    this.alike = costs.size <= 1
    this.stranger = unfittingHash(usual)
  }

  /** @param name prepared by {@link prepareUserName}. */
  named(name: string): User | undefined {
    return this.#byName.get(name)
  }

  withId(id: string): User | undefined {
    return this.#byId.get(id)
  }
}

function hashOf({ passwordHash }: UserEntry, index: number): PasswordHash | undefined {
  if (passwordHash === '') return undefined
  try {
    return parsePasswordHash(passwordHash)
  } catch (error) {
    throw new UserMistake(index, 'passwordHash', messageOf(error))
  }
}
