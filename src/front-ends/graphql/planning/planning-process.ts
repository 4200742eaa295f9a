import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { PlannedSupergraph, ProcessAnswer, ProcessRequest } from './messages.ts'

/** Why a planning process did not do what it was asked. */
export class PlanningFailure extends Error {
  /** `time` and `memory`: the process was ended for it. `bound`: a bound of the planner. `refused`: the message says what is wrong with the input. */
  readonly kind: 'time' | 'memory' | 'bound' | 'refused'

  constructor(kind: PlanningFailure['kind'], message: string) {
    super(message)
    this.kind = kind
  }
}

/** Something to be done by a planning process. */
export interface Task {
  readonly request: ProcessRequest
  /** Milliseconds. */
  readonly limitMs: number
  /** What has to be loaded before. */
  readonly supergraph?: PlannedSupergraph
}

/** A process with Apollo's code in it. Does one thing at a time; holds the gateway's process only while it does. */
export class PlanningProcess {
  /** Set once it has ended; it takes nothing any more. */
  ended = false
  readonly #child: ChildProcess
  /** Hashes, the one used last at the end. */
  readonly #loaded = new Set<string>()
  readonly #kill = (): void => this.close()
  #settle: ((answer: ProcessAnswer | PlanningFailure) => void) | undefined

  /** @param heapMb Its largest heap. */
  constructor(heapMb: number) {
    const compileCache = process.env.NODE_COMPILE_CACHE
    this.#child = fork(entry, {
      execArgv: [`--max-old-space-size=${heapMb}`],
      // Nothing else of the gateway's environment is needed.
      env: compileCache === undefined ? {} : { NODE_COMPILE_CACHE: compileCache },
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      serialization: 'advanced',
    })
    this.#hold(false)
    this.#child.on('message', (answer: ProcessAnswer) => this.#settle?.(answer))
    this.#child.on('error', (error) => this.#end(new PlanningFailure('refused', error.message)))
    this.#child.on('exit', (code, signal) => {
      // V8 gives up by SIGABRT (134 where a shell is between), the kernel by SIGKILL.
      const memory = signal === 'SIGABRT' || signal === 'SIGKILL' || signal === 'SIGTRAP' || code === 134
      this.#end(
        memory
          ? new PlanningFailure('memory', `It needed more memory than ${heapMb} MB.`)
          : new PlanningFailure('refused', `The planning process has ended (${signal ?? code}).`),
      )
    })
    process.once('exit', this.#kill)
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
    if (this.#loaded.delete(hash)) this.#send({ kind: 'forget', hash })
  }

  close(): void {
    this.#end(new PlanningFailure('refused', 'The planning process was closed.'))
  }

  async #ask(request: ProcessRequest, limitMs: number): Promise<unknown> {
    const answer = await this.#answerTo(request, limitMs)
    if (answer instanceof PlanningFailure) throw answer
    if (answer.kind === 'done') return answer.result
    throw new PlanningFailure(answer.limit ? 'bound' : 'refused', answer.message)
  }

  #answerTo(request: ProcessRequest, limitMs: number): Promise<ProcessAnswer | PlanningFailure> {
    if (this.ended) return Promise.resolve(new PlanningFailure('refused', 'The planning process has ended.'))
    return new Promise((resolve) => {
      const settle = (answer: ProcessAnswer | PlanningFailure): void => {
        clearTimeout(timer)
        this.#settle = undefined
        this.#hold(false)
        resolve(answer)
      }
      // One more turn before the end: when this thread was held up itself, the answer may be there already.
      const late = (): void => {
        if (this.#settle === settle)
          this.#end(new PlanningFailure('time', `It took longer than ${limitMs} ms.`))
      }
      const timer = setTimeout(() => setImmediate(late), limitMs)
      this.#settle = settle
      this.#hold(true)
      this.#send(request)
    })
  }

  #send(request: ProcessRequest): void {
    this.#child.send(request, (error) => {
      if (error !== null) this.#end(new PlanningFailure('refused', error.message))
    })
  }

  #hold(busy: boolean): void {
    if (busy) {
      this.#child.ref()
      this.#child.channel?.ref()
    } else {
      this.#child.unref()
      this.#child.channel?.unref()
    }
  }

  #end(failure: PlanningFailure): void {
    this.ended = true
    this.#settle?.(failure)
    process.off('exit', this.#kill)
    this.#child.kill('SIGKILL')
  }
}

const entry = fileURLToPath(new URL('./process/main.ts', import.meta.url))

/** Of loading a supergraph. */
const loadLimitMs = 120_000

/** Loaded at once in one process; a reload needs two. */
const maxSupergraphs = 3
