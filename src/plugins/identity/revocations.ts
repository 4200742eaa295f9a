import { GatewayError } from '../../core/error.ts'
import { type Logger, silentLog } from '../../core/log.ts'
import type { Principal } from '../../core/principal.ts'
import { credentialRevoked } from './refusals.ts'
import { isPerson, nameOf, namesOf, type Revocable, revocableNamed } from './revocable.ts'

/** How long a revocation holds, and of what; all in Unix time in milliseconds. */
export interface RevocationTerms {
  /** When the credential would have ended anyway: then the entry may go, a minute later because of clocks. Default: never. */
  readonly expiresAt?: number | undefined
  /** Of somebody: what was issued before is refused, as is what does not say when it was issued. Default now, unless there is `until`. */
  readonly before?: number | undefined
  /** Of somebody: until then nothing is accepted; afterwards everything is again. */
  readonly until?: number | undefined
  /** Why, for people; at most 200 characters. */
  readonly note?: string | undefined
}

/** One entry as it is kept and passed on; never changed, only replaced by one of a higher version. */
export interface Entry {
  /** Rises with each change of what it is about: the higher one holds, on every node. */
  readonly version: number
  /** Infinity: never. */
  readonly expiresAt: number
  /** Infinity: whenever it was issued; 0 with `until` 0: it was lifted. */
  readonly before: number
  readonly until: number
  readonly note: string
}

/** One entry for people. */
export interface Revocation extends Entry {
  readonly what: Revocable
}

/** `everywhere`: written where all nodes read it, if there are others; `here`: as yet only this node knows. */
export type Reach = 'everywhere' | 'here'

/** Where revocations are shared with other nodes. */
export interface Shared {
  /** Resolves with whether it was written; if not, it is tried again until it is. */
  write(name: string, entry: Entry): Promise<boolean>
}

export interface RevocationsOptions {
  readonly log?: Logger
  /** Entries at the most; the last tenth is for people only. Default 200,000. */
  readonly maxEntries?: number
  now?(): number
}

/** How far clocks may be apart (`auth.jwt[].clockSkew` is 60 s at most): so long is a token accepted after it has expired. */
const skewMs = 60_000
/** How long it is remembered that an entry was lifted, for nodes that have not heard of it. */
const liftedMs = 7 * 86_400_000
/** Entries that one sweep looks at. */
const sweepSize = 2_000

/** Credentials that are no longer accepted although nothing else is wrong with them. */
export class Revocations {
  readonly #entries = new Map<string, Entry>()
  readonly #maxEntries: number
  readonly #now: () => number
  readonly #listeners: (() => void)[] = []
  readonly #log: Logger
  #isFull = false
  #sweeping: MapIterator<[string, Entry]> | undefined
  #shared: Shared | undefined

  constructor({ maxEntries = 200_000, now = Date.now, log = silentLog }: RevocationsOptions = {}) {
    this.#maxEntries = maxEntries
    this.#now = now
    this.#log = log
  }

  /** Throws TOKEN_REVOKED or KEY_REVOKED. */
  check(principal: Principal): void {
    if (this.#entries.size > 0 && this.isRevoked(principal)) throw credentialRevoked(principal)
  }

  isRevoked(principal: Principal): boolean {
    const names = namesOf(principal)
    for (let i = 0; i < names.length; i++) {
      const entry = this.#entries.get(names[i] as string)
      if (entry === undefined) continue
      if ((principal.issuedAt ?? 0) < entry.before || this.#now() < entry.until) return true
    }
    return false
  }

  /**
   * Holds on this node at once, on the others as soon as they hear of it. Rejects with UNAVAILABLE when the list is full, with a
   * RangeError when the terms make no sense.
   */
  async revoke(what: Revocable, terms: RevocationTerms = {}): Promise<Reach> {
    const name = nameOf(what)
    return await this.#put(name, this.#entry(name, terms))
  }

  /** Takes a revocation back. Resolves with undefined when there was none. */
  async lift(what: Revocable): Promise<Reach | undefined> {
    const name = nameOf(what)
    const entry = this.#entries.get(name)
    if (entry === undefined || !this.#holds(entry)) return undefined
    const expiresAt = Math.min(entry.expiresAt, this.#now() + liftedMs)
    const version = this.#nextVersion(name)
    return await this.#put(name, { version, expiresAt, before: 0, until: 0, note: '' })
  }

  /** Undefined: it is not revoked. */
  find(what: Revocable): Revocation | undefined {
    const name = nameOf(what)
    const entry = this.#entries.get(name)
    return entry === undefined || !this.#holds(entry) ? undefined : { what: revocableNamed(name), ...entry }
  }

  /** All that hold, oldest change first. */
  *list(): Generator<Revocation> {
    for (const [name, entry] of this.#entries) {
      if (this.#holds(entry)) yield { what: revocableNamed(name), ...entry }
    }
  }

  /** Entries in memory, with those that were lifted and must be remembered as such. */
  get size(): number {
    return this.#entries.size
  }

  /** Calls `listener` after each change, whichever node made it. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /** Where changes go from now on. */
  shareBy(shared: Shared): void {
    this.#shared = shared
  }

  /** All entries as they are kept; for what shares them. */
  entries(): MapIterator<[string, Entry]> {
    return this.#entries.entries()
  }

  entry(name: string): Entry | undefined {
    return this.#entries.get(name)
  }

  /** Takes in what another node has changed, also when the list is full: to forget it would be to accept what was revoked. */
  merge(name: string, entry: Entry): void {
    const known = this.#entries.get(name)
    if (entry.expiresAt <= this.#now() || (known !== undefined && known.version > entry.version)) return
    if (known?.version === entry.version && known.before === entry.before && known.until === entry.until)
      return
    this.#set(name, entry)
  }

  /** Drops some of what has expired, which nobody can present any more; to be called about once a second. */
  sweep(): void {
    const now = this.#now()
    this.#sweeping ??= this.#entries.entries()
    for (let i = 0; i < sweepSize; i++) {
      const { value, done } = this.#sweeping.next()
      if (done === true) {
        this.#sweeping = undefined
        return
      }
      if (value[1].expiresAt <= now) this.#entries.delete(value[0])
    }
  }

  #put(name: string, entry: Entry): Promise<Reach> | Reach {
    if (!this.#entries.has(name)) this.#makeRoom(name)
    this.#set(name, entry)
    if (this.#shared === undefined) return 'everywhere'
    return this.#shared.write(name, entry).then((written) => (written ? 'everywhere' : 'here'))
  }

  #set(name: string, entry: Entry): void {
    // Put last, so that the list is in the order of the changes.
    this.#entries.delete(name)
    this.#entries.set(name, entry)
    for (const listener of this.#listeners) listener()
  }

  #entry(
    name: string,
    { expiresAt = Number.POSITIVE_INFINITY, before, until, note = '' }: RevocationTerms,
  ): Entry {
    const now = this.#now()
    if (!isPerson(name) && (before !== undefined || until !== undefined))
      throw new RangeError('`before` and `until` are for users and consumers')
    if (until !== undefined && until <= now) throw new RangeError('`until` has passed')
    if (expiresAt <= now - skewMs) throw new RangeError('it has expired, and is refused anyway')
    if (note.length > 200) throw new RangeError('`note` has at most 200 characters')
    const known = this.#entries.get(name)
    const isPause = until !== undefined && before === undefined
    return {
      version: this.#nextVersion(name),
      // Never earlier than what it replaces, so that a late word of that does not bring it back.
      expiresAt: Math.max(isPause ? Math.min(until, expiresAt) : expiresAt + skewMs, known?.expiresAt ?? 0),
      before: isPerson(name) ? (before ?? (isPause ? 0 : now)) : Number.POSITIVE_INFINITY,
      until: until ?? 0,
      note,
    }
  }

  #nextVersion(name: string): number {
    return Math.max(Math.floor(this.#now()), (this.#entries.get(name)?.version ?? 0) + 1)
  }

  #holds({ before, until, expiresAt }: Entry): boolean {
    const now = this.#now()
    return (before > 0 || now < until) && now < expiresAt
  }

  #makeRoom(name: string): void {
    const max = isPerson(name) ? this.#maxEntries : Math.floor(this.#maxEntries * 0.9)
    if (this.#entries.size < max) {
      this.#isFull = false
      return
    }
    const now = this.#now()
    for (const [old, { expiresAt }] of this.#entries) if (expiresAt <= now) this.#entries.delete(old)
    if (this.#entries.size < max) return
    if (!this.#isFull)
      this.#log.error(
        { maxEntries: this.#maxEntries },
        'the list of revocations is full: new ones are refused',
      )
    this.#isFull = true
    throw new GatewayError('UNAVAILABLE', 'The list of revocations is full; nothing was revoked.')
  }
}
