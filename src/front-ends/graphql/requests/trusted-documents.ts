import { setImmediate as nextTurn } from 'node:timers/promises'
import { GatewayError } from '../../../core/error.ts'
import type { Exchange } from '../../../core/exchange.ts'
import type { Logger } from '../../../core/log.ts'
import { messageOf } from '../../../core/message-of.ts'
import type { Engine } from '../engine.ts'
import type { KnownOperation } from '../operation.ts'
import { bareId, type TrustedDocument } from './read-manifest.ts'

/** What {@link TrustedDocuments} needs. */
export interface TrustedOptions {
  /** Each id once. */
  readonly documents: readonly TrustedDocument[]
  /** What is done with an operation that is none of them. */
  readonly mode: 'required' | 'logged' | 'off'
  /** Who may run others all the same. */
  readonly exempt: (x: Exchange) => boolean
  readonly log: Logger
}

/** Operations that were registered before anybody asks for them. */
export class TrustedDocuments {
  readonly #options: TrustedOptions
  readonly #byId: ReadonlyMap<string, string>
  readonly #texts: ReadonlySet<string>
  /** Hashes of operations that were logged. */
  readonly #logged = new Set<string>()

  constructor(options: TrustedOptions) {
    this.#options = options
    this.#byId = new Map(options.documents.map(({ id, text }) => [id, text]))
    this.#texts = new Set(this.#byId.values())
  }

  /** All texts, in the order of the manifests. */
  get texts(): Iterable<string> {
    return this.#texts
  }

  /** The text under an id; undefined: there is none. */
  find(id: string): string | undefined {
    return this.#byId.get(bareId(id))
  }

  has(text: string): boolean {
    return this.#texts.has(text)
  }

  /** Throws OPERATION_NOT_TRUSTED when the caller may run nothing else. */
  requireFor(x: Exchange): void {
    if (this.#options.mode !== 'required' || this.#options.exempt(x)) return
    throw new GatewayError(
      'OPERATION_NOT_TRUSTED',
      'Only operations that were registered before are run here. Send one by its id, or its text as it was registered.',
    )
  }

  /** Tells the log of an operation that is none of these, once; of 1,000 at the most. */
  note(operation: KnownOperation, x: Exchange): void {
    if (this.#options.mode !== 'logged' || this.#logged.has(operation.hash)) return
    if (this.#logged.size >= maxLogged) return
    this.#logged.add(operation.hash)
    const { log } = this.#options
    log.warn(
      {
        'graphql.operation.name': operation.name.slice(0, 64),
        'graphql.operation.type': operation.type,
        'user.id': x.principal?.id,
        request_id: x.id,
      },
      'An operation is not among the trusted documents.',
    )
    if (this.#logged.size === maxLogged)
      log.warn({}, `${maxLogged} operations are not among the trusted documents; no more of them are logged.`)
  }

  /**
   * Tells the log which documents an engine refuses. They do not keep it from starting: old clients may ask for fields that are gone, and the others
   * must be served.
   */
  async check(engine: Engine): Promise<void> {
    const wrong: string[] = []
    for (const [id, text] of this.#byId) {
      // One at a time: thousands of them must not hold up what is being served.
      await nextTurn()
      try {
        engine.read(text)
      } catch (error) {
        wrong.push(`${id}: ${messageOf(error)}`)
      }
    }
    if (wrong.length === 0) return
    const documents = wrong.slice(0, 20)
    this.#options.log.warn(
      { refused: wrong.length, of: this.#byId.size, documents },
      'Trusted documents do not fit the schema.',
    )
  }
}

const maxLogged = 1_000
