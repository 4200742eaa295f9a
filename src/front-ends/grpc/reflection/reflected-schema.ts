import type { Logger } from '../../../core/log.ts'
import { messageOf } from '../../../core/message-of.ts'
import type { Endpoint } from '../../../traffic/endpoint.ts'
import type { Upstream } from '../../../traffic/upstream.ts'
import { describedSource } from '../described-source.ts'
import type { DescriptorSource } from '../descriptors.ts'
import { openChannel } from '../open-channel.ts'
import { fetchProgram, type ReflectedProgram } from './fetch-program.ts'

/** How a backend is asked; durations in milliseconds. */
export interface ReflectionOptions {
  /** Between two times, a tenth more or less. */
  readonly intervalMs: number
  /** For all that is asked at one time, of all targets together. */
  readonly timeoutMs: number
  readonly log: Logger
  /** The backend describes its services otherwise than it did: a configuration is to be built with that. */
  onChange(): void
  /** What an earlier one for the same upstream last ran with. */
  readonly inherited?: ReflectedProgram | undefined
}

/** What a front-end is built with. */
export interface ReflectedServices {
  readonly source: DescriptorSource | undefined
  /** Services that are not described (yet), each with the reason. */
  readonly missing: ReadonlyMap<string, string>
}

/**
 * What the backends of an upstream say of their services, asked again and again. The newest program is offered to the next configuration;
 * once one runs with it it is the good one, which stays until another one runs, whatever the backend says or does.
 */
export class ReflectedSchema {
  readonly upstream: Upstream
  readonly #options: ReflectionOptions
  #wanted: readonly string[] = []
  #good: ReflectedProgram | undefined
  #next: ReflectedProgram | undefined
  /** What the configuration that is being built has got. */
  #given: ReflectedProgram | undefined
  #refused: { readonly digest: string; readonly reason: string } | undefined
  #failure: string | undefined
  #timer: NodeJS.Timeout | undefined
  #retryMs = firstRetryMs
  #state: 'new' | 'running' | 'closed' = 'new'

  constructor(upstream: Upstream, options: ReflectionOptions) {
    this.upstream = upstream
    this.#options = options
    this.#good = options.inherited
  }

  /** As messages about its descriptors begin. */
  get name(): string {
    return `reflection of upstream "${this.upstream.name}"`
  }

  /** What the running configuration was built with. */
  get good(): ReflectedProgram | undefined {
    return this.#good
  }

  /** For `/readyz?verbose`: undefined when all is well. */
  get trouble(): string | undefined {
    if (this.#refused !== undefined) return `what it describes is refused: ${this.#refused.reason}`
    return this.#failure
  }

  /** The services as far as they are known. Asks the backend when one is not; throws only when the descriptors do not make types. */
  async describe(services: readonly string[]): Promise<ReflectedServices> {
    this.#wanted = services
    if (!this.#covers(this.#next ?? this.#good)) await this.#ask()
    const program = this.#next ?? this.#good
    this.#given = program
    const reason = this.trouble ?? 'was not asked yet'
    const missing = services.filter((service) => program?.services.has(service) !== true)
    return {
      source: program === undefined || program.files.length === 0 ? undefined : this.#source(program),
      missing: new Map(missing.map((service) => [service, program?.missing.get(service) ?? reason])),
    }
  }

  /** Whether there is something that no configuration was built with yet. */
  get hasNews(): boolean {
    return this.#next !== undefined
  }

  /** A configuration runs with what it was given. `forgive`: what was refused may be tried again. */
  accept(forgive: boolean): void {
    if (forgive || this.isSuspect) this.#refused = undefined
    this.#good = this.#given ?? this.#good
    // Something newer may have come meanwhile.
    if (this.#next === this.#good) this.#next = undefined
    if (this.#state !== 'new') return
    this.#state = 'running'
    this.#later()
  }

  /** Whether the configuration that is being built was given something that none ran with before. */
  get isSuspect(): boolean {
    return this.#given !== undefined && this.#given !== this.#good
  }

  /** No configuration could be built with what was given: that is set aside. */
  refuse(reason: string): void {
    if (this.#given === undefined || !this.isSuspect) return
    this.#refused = { digest: this.#given.digest, reason }
    if (this.#next === this.#given) this.#next = undefined
    this.#given = undefined
  }

  close(): void {
    this.#state = 'closed'
    clearTimeout(this.#timer)
  }

  #source({ files }: ReflectedProgram): DescriptorSource {
    return describedSource({ name: this.name, files })
  }

  #covers(program: ReflectedProgram | undefined): boolean {
    return program !== undefined && this.#wanted.every((service) => program.services.has(service))
  }

  #later(): void {
    if (this.#state !== 'running') return
    const { intervalMs } = this.#options
    let delayMs = intervalMs * (0.9 + Math.random() * 0.2)
    if (this.#covers(this.#good) || this.#refused !== undefined) this.#retryMs = firstRetryMs
    else {
      delayMs = Math.min(delayMs, this.#retryMs)
      this.#retryMs *= 2
    }
    this.#timer = setTimeout(() => void this.#poll(), delayMs)
    this.#timer.unref()
  }

  async #poll(): Promise<void> {
    const before = this.#next
    await this.#ask()
    if (this.#state !== 'running') return
    if (this.#next !== before) this.#options.onChange()
    this.#later()
  }

  /** Never rejects: what went wrong is logged when it is new, and kept. */
  async #ask(): Promise<void> {
    if (this.#wanted.length === 0) return
    const failure = await this.#fetch().then(
      (program) => this.#offer(program),
      (error: unknown) => messageOf(error),
    )
    const { log } = this.#options
    const fields = { 'gateway.upstream': this.upstream.name }
    if (failure !== undefined && failure !== this.#failure)
      log.warn({ ...fields, reason: failure }, 'reflection failed; what was known before stays')
    if (failure === undefined && this.#failure !== undefined) log.info(fields, 'reflection succeeded')
    this.#failure = failure
  }

  /** Undefined, or why the program is not (all) that is wanted. */
  #offer(program: ReflectedProgram): string | undefined {
    const [lost] = [...program.missing.values()]
    const running = this.#good
    // A backend that forgets a service is most likely half deployed: the others of its services stay with it.
    const forgets =
      running !== undefined && [...program.missing.keys()].some((one) => running.services.has(one))
    if (!forgets && program.digest !== running?.digest && program.digest !== this.#refused?.digest) {
      this.#next = program
    }
    if (program.digest === running?.digest) this.#refused = undefined
    return lost
  }

  /** The first target that answers. */
  async #fetch(): Promise<ReflectedProgram> {
    const until = performance.now() + this.#options.timeoutMs
    const now = performance.now()
    const targets = this.upstream.endpoints.toSorted(
      (a, b) => Number(b.available(now)) - Number(a.available(now)),
    )
    if (targets.length === 0) throw new Error('there are no targets yet')
    const failures: string[] = []
    for (const target of targets) {
      const timeoutMs = until - performance.now()
      if (timeoutMs <= 0) break
      try {
        return await fetchFrom(target, { services: this.#wanted, timeoutMs })
      } catch (error) {
        failures.push(`${target.url} ${messageOf(error)}`)
      }
    }
    throw new Error(failures.join('; '))
  }
}

async function fetchFrom(
  target: Endpoint,
  asked: { readonly services: readonly string[]; readonly timeoutMs: number },
): Promise<ReflectedProgram> {
  const channel = openChannel(target, { kind: 'fast', maxMessageBytes: 16 * 1024 * 1024 })
  try {
    return await fetchProgram(channel, asked)
  } finally {
    channel.close()
  }
}

const firstRetryMs = 1_000
