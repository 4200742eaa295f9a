import type { KeyObject } from 'node:crypto'
import type { JWK } from 'jose'
import { GatewayError } from '../core/error.ts'
import type { Logger } from '../core/log.ts'
import type { KeyStorage } from './key-storage.ts'
import { createSigningKey, type SigningAlgorithm, type SigningKey } from './signing-key.ts'

/** How keys follow one another; times in milliseconds. */
export interface KeyRingOptions {
  readonly storage: KeyStorage
  /** Of new keys. */
  readonly algorithm: SigningAlgorithm
  /** How long a key signs. */
  readonly rotateEveryMs: number
  /** How long a key that signs no more is published: until its last token has expired. */
  readonly keptForMs: number
  readonly now: () => number
  readonly log: Logger
}

/** A key is published for so long before it signs, and all who check tokens must have fetched the key set anew by then. */
export const publishedBeforeMs = 3_600_000
/** How often the storage is looked at: another gateway may have put a key there. */
const readEveryMs = 30_000
/** An unknown key id leads to a look at the storage at most so often. */
const missEveryMs = 1_000

/** The keys of the gateway's own issuer: the one that signs, the one to come, those whose tokens have not expired. */
export class KeyRing {
  readonly #options: KeyRingOptions
  #keys: readonly SigningKey[] = []
  #readAt = Number.NEGATIVE_INFINITY
  #reading: Promise<void> | undefined
  /** What went wrong the last time; it is logged once. */
  #trouble: string | undefined
  #version = 0

  constructor(options: KeyRingOptions) {
    this.#options = options
  }

  /** Another one once keys came or went: a token that was checked before must be checked again. */
  get version(): number {
    return this.#version
  }

  /** What is wrong with where they are kept, for people; undefined: nothing. */
  get trouble(): string | undefined {
    return this.#trouble
  }

  /** Reads the keys, if there are some, so that a mistake in them shows. Creates none. */
  async open(): Promise<void> {
    this.#use((await this.#options.storage.read()) ?? [])
  }

  /** Looks whether keys came or went, where there were some; never rejects. */
  async refresh(): Promise<void> {
    if (this.#keys.length > 0) await this.#refresh(readEveryMs)
  }

  /** The key that signs now; made when there is none. Rejects with UNAVAILABLE when there is none and none can be kept. */
  async signer(): Promise<SigningKey> {
    await this.#refresh(readEveryMs)
    const now = this.#options.now()
    const begun = this.#keys.filter(({ signsFrom }) => signsFrom <= now)
    return begun.at(-1) ?? (this.#keys[0] as SigningKey)
  }

  /** The public keys, for those who check tokens. */
  async published(): Promise<readonly JWK[]> {
    await this.#refresh(readEveryMs)
    return this.#keys.map(({ jwk }) => jwk)
  }

  /** The public key of a token that says this of itself; undefined when it is none of ours. */
  async verifier(kid: unknown, algorithm: unknown): Promise<KeyObject | undefined> {
    const find = (): SigningKey | undefined =>
      this.#keys.find((key) => key.kid === kid && key.algorithm === algorithm)
    // One that is known may have been withdrawn.
    await this.#refresh(find() === undefined ? missEveryMs : readEveryMs)
    return find()?.publicKey
  }

  async #refresh(everyMs: number): Promise<void> {
    const now = this.#options.now()
    if (this.#keys.length > 0 && Math.abs(now - this.#readAt) < everyMs) return
    this.#reading ??= this.#read(now).finally(() => {
      this.#reading = undefined
    })
    await this.#reading
  }

  async #read(now: number): Promise<void> {
    const { storage, log } = this.#options
    try {
      this.#readAt = now
      this.#use((await storage.read()) ?? (await this.#first(now)))
      await this.#rotate(now)
      this.#trouble = undefined
    } catch (cause) {
      if (this.#keys.length === 0)
        throw new GatewayError('UNAVAILABLE', 'Tokens cannot be issued at the moment.', { cause })
      const trouble = (cause as NodeJS.ErrnoException).code ?? String(cause)
      if (trouble !== this.#trouble)
        log.error(
          { error: String(cause) },
          'the issuer cannot read or change its keys; those from before sign on',
        )
      this.#trouble = trouble
    }
  }

  async #first(now: number): Promise<readonly SigningKey[]> {
    const { storage, algorithm, log } = this.#options
    const key = await createSigningKey(algorithm, now)
    await storage.create([key])
    log.info({ kid: key.kid, algorithm }, 'the issuer has made its first key')
    return (await storage.read()) ?? [key]
  }

  /**
   * Adds the next key in time, and drops what is needed no more. When several gateways do so at once, the file that is written last holds; all have read it
   * by the time that a key in it signs.
   */
  async #rotate(now: number): Promise<void> {
    const { storage, algorithm, rotateEveryMs, keptForMs, log } = this.#options
    const newest = this.#keys.at(-1)
    const kept = this.#keys.filter((_, i) => {
      const next = this.#keys[i + 1]
      return next === undefined || next.signsFrom + keptForMs > now
    })
    const dueAt = (newest?.signsFrom ?? now) + rotateEveryMs
    // Not while one is to come: gateways that differ in this would add keys in turn.
    const changes = newest !== undefined && newest.algorithm !== algorithm && newest.signsFrom <= now
    const isDue = changes || now >= dueAt - publishedBeforeMs
    if (!isDue && kept.length === this.#keys.length) return
    if (isDue)
      kept.push(await createSigningKey(algorithm, Math.max(now + publishedBeforeMs, changes ? 0 : dueAt)))
    await storage.replace(kept)
    this.#use(kept)
    log.info({ kids: kept.map(({ kid }) => kid) }, 'the keys of the issuer have changed')
  }

  #use(keys: readonly SigningKey[]): void {
    const before = this.#keys.map(({ kid }) => kid)
    this.#keys = keys.toSorted((a, b) => a.signsFrom - b.signsFrom)
    const isSame = before.length === this.#keys.length && this.#keys.every(({ kid }, i) => kid === before[i])
    if (!isSame) this.#version++
  }
}
