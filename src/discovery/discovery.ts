import type { Logger } from '../core/log.ts'
import type { Target } from '../core/target.ts'
import type { Finding, Provider } from './provider.ts'

/** What discovery is made from. */
export interface DiscoveryOptions {
  readonly upstreamName: string
  /** Closed with the discovery. */
  readonly provider: Provider
  readonly log: Logger
  /** Told of every change: all targets, each URL once, in the order of their URLs. */
  onTargets(targets: readonly Target[]): void
}

/** How discovery is doing, for people. */
export interface DiscoveryStatus {
  /** When targets were found last, Unix time in milliseconds; undefined: never. */
  readonly foundAt: number | undefined
  /** What is not well; undefined: all is well. */
  readonly trouble: string | undefined
  /** How often all was well before and then no more. */
  readonly failures: number
}

/** Targets of one upstream at the most; more are left out. */
const maxTargets = 1_000

/**
 * Follows a provider for one upstream, from {@link start} until closed. What a provider does not know right now changes nothing: the
 * targets that were found last stay. Each change, each trouble and its end is one line of the log.
 */
export class Discovery {
  readonly #options: DiscoveryOptions
  readonly #first = Promise.withResolvers<void>()
  #started = false
  #targets = '[]'
  #urls: ReadonlySet<string> = new Set()
  #skipped = ''
  #foundAt: number | undefined
  #trouble: string | undefined = 'nothing is known yet'
  #failures = 0

  constructor(options: DiscoveryOptions) {
    this.#options = options
  }

  /** Begins to follow the provider; called again it does nothing. */
  start(): void {
    if (this.#started) return
    this.#started = true
    this.#options.provider.watch((finding) => this.#take(finding))
  }

  /** Resolves when the provider has told something for the first time, be it trouble. */
  get first(): Promise<void> {
    return this.#first.promise
  }

  get status(): DiscoveryStatus {
    return { foundAt: this.#foundAt, trouble: this.#trouble, failures: this.#failures }
  }

  close(): void {
    this.#options.provider.close()
  }

  #take({ targets, trouble, skipped = [] }: Finding): void {
    if (targets !== undefined) {
      this.#foundAt = Date.now()
      const all = once(targets)
      this.#replace(all.slice(0, maxTargets))
      const over = all.length - maxTargets
      this.#note(over > 0 ? [...skipped, `${over} more than the ${maxTargets} that are taken`] : skipped)
    }
    this.#turn(trouble)
    this.#first.resolve()
  }

  #replace(targets: readonly Target[]): void {
    const found = JSON.stringify(targets)
    if (found === this.#targets) return
    this.#targets = found
    const before = this.#urls
    this.#urls = new Set(targets.map(({ url }) => url))
    const added = [...this.#urls.difference(before)]
    const removed = [...before.difference(this.#urls)]
    this.#options.onTargets(targets)
    this.#log('info', { added, removed, targets: this.#urls.size }, 'discovery changed the targets')
  }

  #note(skipped: readonly string[]): void {
    const told = skipped.slice(0, 20)
    const text = JSON.stringify(told)
    if (text === this.#skipped) return
    this.#skipped = text
    if (told.length > 0) this.#log('warn', { skipped: told }, 'discovery found entries that are no targets')
  }

  #turn(trouble: string | undefined): void {
    const before = this.#trouble
    if (trouble === before) return
    this.#trouble = trouble
    if (trouble === undefined) {
      if (this.#failures > 0) this.#log('info', {}, 'discovery works again')
      return
    }
    this.#failures++
    this.#log(
      'warn',
      { reason: trouble, targets: this.#urls.size },
      this.#urls.size > 0
        ? 'discovery is in trouble; the targets stay'
        : 'discovery is in trouble; there are no targets yet',
    )
  }

  #log(level: 'info' | 'warn', fields: object, message: string): void {
    this.#options.log[level]({ 'gateway.upstream': this.#options.upstreamName, ...fields }, message)
  }
}

/** Each URL once, the first of it, in an order that does not depend on who lists them. */
function once(targets: readonly Target[]): Target[] {
  const byUrl = new Map<string, Target>()
  for (const target of targets) if (!byUrl.has(target.url)) byUrl.set(target.url, target)
  return [...byUrl.values()].sort((a, b) => (a.url < b.url ? -1 : 1))
}
