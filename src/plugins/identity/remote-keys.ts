import { createLocalJWKSet, errors, type JWTVerifyGetKey } from 'jose'
import type { Logger } from '../../core/log.ts'
import { fetchJson } from './fetch-json.ts'
import type { IssuerKeys } from './issuer-keys.ts'
import { issuerUnavailable } from './refusals.ts'

const timeoutMs = 2_000
const maxBytes = 262_144
const maxKeys = 100
/** An unknown key id makes us look once in this time: anybody can make one up. */
const lookAgainMs = 30_000
/** After a failed fetch, while there are no keys at all. */
const retryMs = 1_000

/** Where an issuer's keys are and how long they are believed. */
export interface RemoteKeysOptions {
  /** The address of the key set; may have to be found out. */
  locate(): Promise<string>
  readonly issuer: string
  /** How often they are fetched: so soon a key that was withdrawn stops working. */
  readonly refreshMs: number
  /** How long the last good ones serve while the issuer cannot be reached. */
  readonly maxStaleMs: number
  readonly log: Logger
  now(): number
}

/**
 * The keys at an issuer's address (RFC 7517). Whoever uses them has {@link refresh} called regularly; besides, they are fetched for an
 * unknown key id, at most every 30 s. One fetch at a time. While the issuer cannot be reached the keys from before serve on; a token that
 * needs others is refused with UNAVAILABLE.
 */
export class RemoteKeys implements IssuerKeys {
  readonly #options: RemoteKeysOptions
  #version = 0
  #set: JWTVerifyGetKey | undefined
  #text = ''
  #triedAt = Number.NEGATIVE_INFINITY
  #goodAt = Number.NEGATIVE_INFINITY
  #lookedAt = Number.NEGATIVE_INFINITY
  #fetching: Promise<void> | undefined
  #trouble: string | undefined

  constructor(options: RemoteKeysOptions) {
    this.#options = options
  }

  get version(): number {
    return this.#version
  }

  /** What is wrong, for people; undefined: nothing. */
  get trouble(): string | undefined {
    return this.#trouble
  }

  /** Fetches the keys unless somebody has just done so; never rejects. */
  refresh(): Promise<void> {
    const { now, refreshMs } = this.#options
    return now() - this.#triedAt < refreshMs / 2 ? Promise.resolve() : this.#fetch()
  }

  readonly getKey: JWTVerifyGetKey = async (header, token) => {
    const set = await this.#present()
    try {
      return await set(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      await this.#lookAgain()
      try {
        return await (await this.#present())(header, token)
      } catch (second) {
        const isMissing = second instanceof errors.JWKSNoMatchingKey
        throw isMissing && this.#trouble !== undefined ? issuerUnavailable(this.#trouble) : second
      }
    }
  }

  /** The keys; waits for them only where there are none, or nobody has refreshed them. */
  async #present(): Promise<JWTVerifyGetKey> {
    const { now, refreshMs } = this.#options
    const sinceTried = now() - this.#triedAt
    if (this.#set === undefined) {
      if (sinceTried >= retryMs) await this.#fetch()
    } else if (sinceTried >= 2 * refreshMs) {
      const fetched = this.#fetch()
      if (this.#trouble === undefined) await fetched
    }
    this.#dropStale()
    if (this.#set === undefined) throw issuerUnavailable(this.#trouble)
    return this.#set
  }

  async #lookAgain(): Promise<void> {
    const now = this.#options.now()
    if (this.#fetching === undefined && now - this.#lookedAt < lookAgainMs) return
    this.#lookedAt = now
    await this.#fetch()
  }

  #fetch(): Promise<void> {
    this.#fetching ??= this.#fetchOnce().finally(() => {
      this.#fetching = undefined
    })
    return this.#fetching
  }

  async #fetchOnce(): Promise<void> {
    const { locate, issuer, log, now } = this.#options
    try {
      const { keys } = await fetchJson(await locate(), { timeoutMs, maxBytes })
      if (Array.isArray(keys) && keys.length > maxKeys) throw new Error(`more than ${maxKeys} keys`)
      this.#use(keys)
      this.#goodAt = now()
      if (this.#trouble !== undefined) log.info({ issuer }, 'the keys of an issuer are there again')
      this.#trouble = undefined
    } catch (error) {
      const trouble = reasonOf(error)
      if (this.#trouble === undefined)
        log.warn({ issuer, trouble }, 'the keys of an issuer cannot be fetched')
      this.#trouble = trouble
      this.#dropStale()
    }
    this.#triedAt = now()
  }

  /** Throws when they are no key set. */
  #use(keys: unknown): void {
    const text = JSON.stringify(keys)
    if (this.#set !== undefined && text === this.#text) return
    // jose checks the shape.
    this.#set = createLocalJWKSet({ keys } as Parameters<typeof createLocalJWKSet>[0])
    this.#text = text
    this.#version++
  }

  #dropStale(): void {
    const { now, maxStaleMs } = this.#options
    if (this.#set === undefined || now() - this.#goodAt <= maxStaleMs) return
    this.#set = undefined
    this.#version++
  }
}

/** `fetch failed` says nothing; its cause does. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error && error.cause.message !== ''
    ? `${error.message}: ${error.cause.message}`
    : error.message
}
