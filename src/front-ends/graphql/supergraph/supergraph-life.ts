import { createHash } from 'node:crypto'
import type { Logger } from '../../../core/log.ts'
import { messageOf } from '../../../core/message-of.ts'
import type { StoredOperation } from '../../../core/stored-operation.ts'
import type { UsedDocument } from '../documents.ts'
import type { Engine } from '../engine.ts'
import type { PlanningFigures } from '../planning/planning-figures.ts'
import { composeSupergraph, type SubgraphSdl } from '../supergraph.ts'
import { Engines, RunningEngine } from './engines.ts'
import { StoredOperations } from './stored-operations.ts'
import type { SupergraphMemory } from './supergraph-memory.ts'
import { type Gathered, SupergraphSource, type SupergraphSourceOptions } from './supergraph-source.ts'
import { type WarmUpOptions, warmUp } from './warm-up.ts'

/** How supergraphs are come by, and what is made of them. */
export interface SupergraphLifeOptions extends SupergraphSourceOptions {
  readonly memory: SupergraphMemory
  readonly warmUp: WarmUpOptions
  /** Texts of operations that are planned warm after those that were used most. */
  readonly registered?: Iterable<string>
  /** Whether others are asked for their schemas; without, there is no engine where they would have to be. */
  readonly online: boolean
  readonly log: Logger
  /** Makes an engine of a supergraph. Rejects with an Error when it does not load. */
  start(supergraphSdl: string): Promise<Engine>
}

/** How the supergraph is, for people. */
export interface SupergraphStatus {
  /** Whether there is one that answers. */
  readonly loaded: boolean
  /** What is not well; undefined: the newest is running. */
  readonly trouble: string | undefined
  /** Supergraphs that took over while the gateway ran, and those that were refused. */
  readonly changes: { readonly applied: number; readonly refused: number }
  /** What planning has come to with the one that answers. */
  readonly planning: PlanningFigures | undefined
}

/**
 * The supergraphs of one front-end one after the other. Each new one is composed, loaded, held against the stored operations, planned warm,
 * and only then takes over; one that fails at any of that changes nothing.
 */
export class SupergraphLife {
  readonly engines = new Engines()
  readonly stored = new StoredOperations(this.engines)
  readonly #options: SupergraphLifeOptions
  readonly #source: SupergraphSource
  #running: { readonly digest: string; readonly sdl: string } | undefined
  #refused: { readonly digest: string; readonly reason: string } | undefined
  #updating: Promise<void> | undefined
  #isStale = false
  #isOver = false

  constructor(options: SupergraphLifeOptions) {
    this.#options = options
    const { memory, log } = options
    const onAsked = (changed: boolean): void => {
      // What failed although nothing was said to be wrong with it is tried again while there is nothing better.
      if (changed || this.engines.current === undefined) this.#update()
    }
    this.#source = new SupergraphSource(options, { known: memory.known, log, onAsked })
    memory.engines.add(this.engines)
  }

  /** Loads the first supergraph. Rejects with an Error when it is made of files only and does not load; one that others have may come later. */
  async begin(): Promise<void> {
    const { online } = this.#options
    if (!this.#source.isPolled) return await this.#take(this.#source.gather())
    this.engines.isMissing('nobody is asked for it')
    if (!online) return
    await this.#source.first()
    await this.#attempt()
    if (this.engines.current === undefined) await this.#takeRemembered()
    this.#source.start()
  }

  get status(): SupergraphStatus {
    const { memory } = this.#options
    const trouble = this.#refused === undefined ? this.#source.trouble : `is refused: ${this.#refused.reason}`
    return {
      loaded: this.engines.current !== undefined,
      trouble: trouble ?? (this.engines.current === undefined ? 'is not asked for' : undefined),
      changes: { applied: memory.applied, refused: memory.refused },
      planning: this.engines.current?.engine.planning,
    }
  }

  /** The supergraph that runs; undefined: none is there yet. */
  get supergraphSdl(): string | undefined {
    return this.#running?.sdl
  }

  /** There will be no other supergraph, and this one gets nothing new. */
  retire(): void {
    this.#isOver = true
    this.#source.close()
    this.engines.retire()
  }

  async close(): Promise<void> {
    this.#isOver = true
    this.#source.close()
    this.#options.memory.engines.delete(this.engines)
    await this.#updating
    this.engines.close()
  }

  /** One after the other; what changes meanwhile is looked at once more. */
  #update(): void {
    if (this.#updating !== undefined) {
      this.#isStale = true
      return
    }
    this.#updating = this.#attempt().finally(() => {
      this.#updating = undefined
      if (!this.#isStale || this.#isOver) return
      this.#isStale = false
      this.#update()
    })
  }

  /** Never rejects. */
  async #attempt(): Promise<void> {
    const gathered = this.#source.gather()
    const { memory, log } = this.#options
    if (gathered.kind === 'missing') {
      this.engines.isMissing(gathered.reason)
      return
    }
    const digest = digestOf(gathered)
    const hasOne = this.engines.current !== undefined
    if (hasOne && (digest === this.#running?.digest || digest === this.#refused?.digest)) {
      if (digest === this.#running?.digest) this.#refused = undefined
      return
    }
    try {
      await this.#take(gathered)
      this.#refused = undefined
    } catch (error) {
      const reason = messageOf(error)
      const isNew = reason !== this.#refused?.reason
      this.#refused = { digest, reason }
      this.engines.isMissing('what there is does not load')
      if (!isNew || this.#isOver) return
      memory.refused++
      const kept = hasOne ? 'the old one keeps running' : 'there is none yet'
      log.error({ problems: reason.split('\n') }, `the new supergraph is refused; ${kept}`)
    }
  }

  /** Rejects with an Error that says why it is not to be run. */
  async #take(gathered: Gathered): Promise<void> {
    if (gathered.kind === 'missing') throw new Error(gathered.reason)
    const sdl = gathered.kind === 'supergraph' ? gathered.sdl : await this.#composed(gathered.subgraphs)
    const digest = digestOf(gathered)
    // Another spelling of the same.
    if (sdl === this.#running?.sdl) this.#running = { digest, sdl }
    else await this.#run(sdl, digest)
    this.#options.memory.known = this.#source.known
  }

  async #composed(subgraphs: readonly SubgraphSdl[]): Promise<string> {
    const { supergraphSdl, hints } = await composeSupergraph(subgraphs)
    for (const { code, message: hint } of hints)
      this.#options.log.debug({ code, hint }, 'a hint of the composition')
    return supergraphSdl
  }

  async #run(sdl: string, digest: string): Promise<void> {
    const { start, memory, log, warmUp: options } = this.#options
    const engine = await start(sdl)
    try {
      const isFirst = this.engines.current === undefined
      // Before work is put into it, and again with those that the configuration came up with meanwhile.
      if (!isFirst) this.#preparedBy(engine)
      const { planned, refused, late } = await warmUp(engine, this.#warmDocuments(), options)
      if (this.#isOver) throw new Error('the configuration has changed meanwhile')
      const operations = isFirst ? this.stored.preparedBy(engine) : this.#preparedBy(engine)
      this.engines.swap(new RunningEngine(engine, operations))
      this.#running = { digest, sdl }
      memory.supergraphSdl = sdl
      // The first one has nothing to keep: what fits of the operations is better than nothing.
      for (const operation of operations)
        if (operation instanceof Error) log.error({ reason: operation.message }, 'an operation is refused')
      if (!isFirst) memory.applied++
      log.info({ planned, late }, isFirst ? 'supergraph loaded' : 'supergraph applied')
      for (const { text, reason } of refused.slice(0, maxTold))
        log.warn({ operation: text.slice(0, 500), reason }, 'an operation in use is not valid any more')
    } catch (error) {
      engine.close()
      throw error
    }
  }

  #warmDocuments(): UsedDocument[] {
    const { memory, warmUp, registered = [] } = this.#options
    const used = memory.mostUsed(warmUp.operations)
    const known = new Set(used.map(({ text }) => text))
    const others = [...registered].filter((text) => !known.has(text))
    return [...used, ...others.map((text) => ({ text, uses: 0 }))]
  }

  /** Throws the first that does not fit. */
  #preparedBy(engine: Engine): (StoredOperation | Error)[] {
    const operations = this.stored.preparedBy(engine)
    for (const operation of operations) if (operation instanceof Error) throw operation
    return operations
  }

  /** After a reload, while somebody who is new cannot be asked: the last one that ran, when it fits. */
  async #takeRemembered(): Promise<void> {
    const { memory, log } = this.#options
    if (memory.supergraphSdl === undefined) return
    try {
      await this.#run(memory.supergraphSdl, '')
    } catch (error) {
      log.warn({ reason: messageOf(error) }, 'the last supergraph does not fit the configuration')
    }
  }
}

function digestOf(gathered: Gathered): string {
  return createHash('sha256').update(JSON.stringify(gathered)).digest('hex')
}

const maxTold = 10
