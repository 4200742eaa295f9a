import { GatewayError } from '../../../core/error.ts'
import type { StoredOperation } from '../../../core/stored-operation.ts'
import type { UsedDocument } from '../documents.ts'
import type { Engine } from '../engine.ts'

/** Whatever lasts longer than a request and runs on one engine: told when that engine is to end. */
export type RetireListener = (engine: Engine) => void

/** An engine with those who use it: it is closed when it was retired and the last of them has left. */
export class RunningEngine {
  readonly engine: Engine
  /** The stored operations of the configuration as this engine takes them, or what is wrong with them; in their order. */
  readonly operations: (StoredOperation | Error)[]
  /** Told once, when it is closed. */
  onClosed: (() => void) | undefined
  #users = 0
  #isRetired = false
  #isClosed = false

  constructor(engine: Engine, operations: (StoredOperation | Error)[]) {
    this.engine = engine
    this.operations = operations
  }

  /** For one who calls {@link leave} exactly once. */
  enter(): void {
    this.#users++
  }

  leave(): void {
    this.#users--
    this.#closeUnused()
  }

  /** Gets no new users. */
  retire(): void {
    this.#isRetired = true
    this.#closeUnused()
  }

  /** Whoever is still there. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.engine.close()
    this.onClosed?.()
  }

  #closeUnused(): void {
    if (this.#isRetired && this.#users === 0) this.close()
  }
}

/** The engines of one front-end one after the other: each runs what it began, the newest gets what is new. */
export class Engines {
  #current: RunningEngine | undefined
  #missing = 'it was not loaded yet'
  readonly #open = new Set<RunningEngine>()
  readonly #listeners: RetireListener[] = []

  /** The one that gets new operations; undefined: none is there yet. */
  get current(): RunningEngine | undefined {
    return this.#current
  }

  /** The newest engine, for one operation; call `leave()` when that has ended. Throws UNAVAILABLE while there is none. */
  enter(): RunningEngine {
    const current = this.#current
    if (current === undefined)
      throw new GatewayError('UNAVAILABLE', `There is no GraphQL schema: ${this.#missing}.`, { retryAfterMs })
    current.enter()
    return current
  }

  /** Why there is none, for clients. */
  isMissing(reason: string): void {
    this.#missing = reason
  }

  /** Each listener is told of an engine that gets nothing new: subscriptions on it are to end, so that their clients come again. */
  onRetire(listener: RetireListener): void {
    this.#listeners.push(listener)
  }

  /** In one step. The old engine is closed when the last operation on it has ended. */
  swap(next: RunningEngine): void {
    const old = this.#current
    this.#open.add(next)
    next.onClosed = () => this.#open.delete(next)
    this.#current = next
    old?.retire()
    if (old !== undefined) this.#tell(old)
  }

  /** There will be no other, and this one gets nothing new. */
  retire(): void {
    if (this.#current !== undefined) this.#tell(this.#current)
  }

  /** Closes all; whoever is still there loses it. */
  close(): void {
    for (const one of [...this.#open]) one.close()
  }

  /** The documents that were read most often, most used first. */
  mostUsed(max: number): UsedDocument[] {
    return this.#current?.engine.mostUsed(max) ?? []
  }

  #tell({ engine }: RunningEngine): void {
    for (const listener of this.#listeners) listener(engine)
  }
}

const retryAfterMs = 1_000
