import type {
  Composition,
  LoadAnswer,
  PlanAnswer,
  PlannedSupergraph,
  PlanRequest,
  SubgraphSdl,
} from './messages.ts'
import { PlanningProcess, type Task } from './planning-process.ts'

/** Where everything that needs Apollo's code is done. Every method rejects with a PlanningFailure. */
export class PlanningProcesses {
  #heapMb: number
  readonly #idle: PlanningProcess[] = []
  readonly #waiting: Waiting[] = []
  /** How many use a supergraph, by hash. */
  readonly #users = new Map<string, number>()
  #busy = 0
  #spare: NodeJS.Timeout | undefined
  #rest: NodeJS.Timeout | undefined

  /** @param heapMb Largest heap of one process. */
  constructor(heapMb: number) {
    this.#heapMb = heapMb
  }

  /** Lets the heap of a process grow to that. Processes that are busy are not touched. */
  allow(heapMb: number): void {
    if (heapMb <= this.#heapMb) return
    this.#heapMb = heapMb
    for (const child of this.#idle.splice(0)) child.close()
  }

  async compose(subgraphs: readonly SubgraphSdl[]): Promise<Composition> {
    // Only what can be sent: callers hand over more.
    const sources = subgraphs.map(({ name, sdl, file = name }) => ({ name, sdl, file }))
    const request = { kind: 'compose', subgraphs: sources } as const
    return (await this.#run({ request, limitMs: slowLimitMs })) as Composition
  }

  async load(supergraph: PlannedSupergraph): Promise<LoadAnswer> {
    const request = { kind: 'load', supergraph } as const
    const facts = (await this.#run({ request, supergraph, limitMs: slowLimitMs })) as LoadAnswer
    this.#users.set(supergraph.hash, (this.#users.get(supergraph.hash) ?? 0) + 1)
    return facts
  }

  /** Each that was loaded is let go once. */
  release({ hash }: PlannedSupergraph): void {
    const users = (this.#users.get(hash) ?? 0) - 1
    if (users > 0) this.#users.set(hash, users)
    else {
      this.#users.delete(hash)
      for (const child of this.#idle) child.forget(hash)
    }
  }

  /** Loads the supergraph where it is not loaded, outside the limit. `started` is called when the planner gets to it. */
  async plan(supergraph: PlannedSupergraph, options: PlanOptions): Promise<PlanAnswer> {
    const { request, limitMs, started } = options
    const task = { request: { kind: 'plan', hash: supergraph.hash, request }, limitMs, supergraph } as const
    return (await this.#run(task, started)) as PlanAnswer
  }

  #run(task: Task, started?: () => void): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ task, resolve, reject, started })
      this.#next()
    })
  }

  /** Hands out what waits. A second process is started only once the first has been busy with one thing for a while. */
  #next(): void {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const child =
        this.#idleFor(first.task) ?? (this.#busy === 0 ? new PlanningProcess(this.#heapMb) : undefined)
      if (child === undefined) break
      this.#waiting.shift()
      void this.#give(child, first)
    }
    if (this.#waiting.length === 0 || this.#busy !== 1) return
    this.#spare ??= setTimeout(() => {
      this.#spare = undefined
      const first = this.#waiting.shift()
      if (first === undefined) return
      if (this.#busy < maxProcesses) void this.#give(new PlanningProcess(this.#heapMb), first)
      else this.#waiting.unshift(first)
    }, spareAfterMs)
  }

  async #give(child: PlanningProcess, { task, resolve, reject, started }: Waiting): Promise<void> {
    this.#busy++
    clearTimeout(this.#rest)
    started?.()
    try {
      resolve(await child.run(task))
    } catch (error) {
      reject(error)
    }
    this.#busy--
    if (!child.ended) this.#idle.push(child)
    clearTimeout(this.#spare)
    this.#spare = undefined
    this.#next()
    this.#rest = setTimeout(() => this.#endIdle(), restAfterMs).unref()
  }

  /** The one that has the supergraph loaded, before any other. */
  #idleFor({ supergraph }: Task): PlanningProcess | undefined {
    // One that has died since takes nothing.
    this.#idle.splice(0, this.#idle.length, ...this.#idle.filter(({ ended }) => !ended))
    const has = supergraph === undefined ? -1 : this.#idle.findIndex((one) => one.has(supergraph.hash))
    const [child] = this.#idle.splice(has === -1 ? 0 : has, 1)
    return child
  }

  #endIdle(): void {
    for (const child of this.#idle.splice(1)) child.close()
  }
}

/** One operation to plan. */
export interface PlanOptions {
  readonly request: PlanRequest
  readonly limitMs: number
  readonly started: () => void
}

interface Waiting {
  readonly task: Task
  readonly resolve: (result: unknown) => void
  readonly reject: (reason: unknown) => void
  readonly started: (() => void) | undefined
}

/** The planning processes of the gateway, shared by all supergraphs; started when first needed. Their heap is the largest that was asked for. */
export function planningProcesses(heapMb: number = defaultHeapMb): PlanningProcesses {
  ofProcess.allow(heapMb)
  return ofProcess
}

const defaultHeapMb = 512
const ofProcess = new PlanningProcesses(defaultHeapMb)

/** The second keeps cheap plans from waiting behind an expensive one. */
const maxProcesses = 2
const spareAfterMs = 100
/** The second ends after this time without work. */
const restAfterMs = 60_000
/** Of composing and loading. */
const slowLimitMs = 120_000
