import { Worker } from 'node:worker_threads'
import type { PlannedSupergraph, ThreadAnswer, ThreadRequest } from './messages.ts'

/** Why a thread did not do what it was asked. */
export class PlanningFailure extends Error {
  /** `time` and `memory`: the thread was ended for it. `bound`: a bound of the planner. `refused`: the message says what is wrong with the input. */
  readonly kind: 'time' | 'memory' | 'bound' | 'refused'

  constructor(kind: PlanningFailure['kind'], message: string) {
    super(message)
    this.kind = kind
  }
}

/** Something to be done by a thread. */
export interface Task {
  readonly request: ThreadRequest
  /** Milliseconds. */
  readonly limitMs: number
  /** What has to be loaded before. */
  readonly supergraph?: PlannedSupergraph
}

/** One thread with Apollo's code in it. Does one thing at a time; holds the process only while it does. */
export class PlanningThread {
  /** Set once it has ended; it takes nothing any more. */
  ended = false
  readonly #worker: Worker
  /** Hashes, the one used last at the end. */
  readonly #loaded = new Set<string>()
  #settle: ((answer: ThreadAnswer | PlanningFailure) => void) | undefined

  /** @param heapMb Largest heap of the thread. */
  constructor(heapMb: number) {
    this.#worker = new Worker(new URL('./thread/planning-worker.ts', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: heapMb },
      name: 'planning',
    })
    this.#worker.unref()
    this.#worker.on('message', (answer: ThreadAnswer) => this.#settle?.(answer))
    this.#worker.on('error', (error: Error & { code?: string }) => {
      const memory = error.code === 'ERR_WORKER_OUT_OF_MEMORY'
      this.#end(new PlanningFailure(memory ? 'memory' : 'refused', memory ? 'out of memory' : error.message))
    })
    this.#worker.on('exit', () => this.#end(new PlanningFailure('refused', 'The planning thread has ended.')))
  }

  has(hash: string): boolean {
    return this.#loaded.has(hash)
  }

  /** Rejects with a PlanningFailure. */
  async run({ request, limitMs, supergraph }: Task): Promise<unknown> {
    if (supergraph === undefined) return this.#ask(request, limitMs)
    const { hash } = supergraph
    if (this.#loaded.delete(hash)) this.#loaded.add(hash)
    else if (request.kind !== 'load') await this.#ask({ kind: 'load', supergraph }, loadLimitMs)
    const result = await this.#ask(request, limitMs)
    this.#loaded.add(hash)
    const [oldest] = this.#loaded
    if (oldest !== undefined && this.#loaded.size > maxSupergraphs) this.forget(oldest)
    return result
  }

  /** Only while it does nothing else. What is still asked of the supergraph loads it again. */
  forget(hash: string): void {
    if (this.#loaded.delete(hash)) this.#worker.postMessage({ kind: 'forget', hash } satisfies ThreadRequest)
  }

  close(): void {
    this.#end(new PlanningFailure('refused', 'The planning thread was closed.'))
  }

  async #ask(request: ThreadRequest, limitMs: number): Promise<unknown> {
    const answer = await this.#answerTo(request, limitMs)
    if (answer instanceof PlanningFailure) throw answer
    if (answer.kind === 'done') return answer.result
    throw new PlanningFailure(answer.limit ? 'bound' : 'refused', answer.message)
  }

  #answerTo(request: ThreadRequest, limitMs: number): Promise<ThreadAnswer | PlanningFailure> {
    if (this.ended) return Promise.resolve(new PlanningFailure('refused', 'The planning thread has ended.'))
    return new Promise((resolve) => {
      const settle = (answer: ThreadAnswer | PlanningFailure): void => {
        clearTimeout(timer)
        this.#settle = undefined
        this.#worker.unref()
        resolve(answer)
      }
      // One more turn before the end: when this thread was held up itself, the answer may be there already.
      const late = (): void => {
        if (this.#settle === settle)
          this.#end(new PlanningFailure('time', `It took longer than ${limitMs} ms.`))
      }
      const timer = setTimeout(() => setImmediate(late), limitMs)
      this.#settle = settle
      this.#worker.ref()
      this.#worker.postMessage(request)
    })
  }

  #end(failure: PlanningFailure): void {
    this.ended = true
    this.#settle?.(failure)
    void this.#worker.terminate()
  }
}

/** Of loading a supergraph. */
const loadLimitMs = 120_000

/** Loaded at once in one thread; a reload needs two. */
const maxSupergraphs = 3
