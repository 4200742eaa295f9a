import { isDeepStrictEqual } from 'node:util'
import { GatewayError } from '../core/error.ts'
import type { Target } from '../core/target.ts'
import type { Instance, KnownInstance, RegistryEvent } from './instance.ts'
import { registrable } from './registrable.ts'

export interface ServiceRegistryOptions {
  /** Milliseconds from any beginning, never going back. Default `performance.now`. */
  readonly now?: () => number
  /** Of all services together. Default 10,000. */
  readonly maxInstances?: number
}

interface Entry {
  target: Target
  ttlMs: number
  /** By {@link ServiceRegistryOptions.now}. */
  expiresAt: number
  expired: boolean
}

/** How often it is looked who has not been heard of. */
const lookEveryMs = 500

/**
 * Instances that announce themselves, in memory ({@link onEvent} is for what keeps them): they register, renew before their time is over, and deregister when they end. The last
 * instance of a service stays although its heartbeats have stopped, until another comes or it is deregistered: when all fall silent at once, it
 * is more likely that their heartbeats do not arrive. Nobody can make it grow beyond its bounds. It outlives every configuration.
 */
export class ServiceRegistry {
  readonly #now: () => number
  readonly #maxInstances: number
  /** By service, then by URL; none is empty. */
  readonly #services = new Map<string, Map<string, Entry>>()
  readonly #watchers = new Map<string, Set<() => void>>()
  #size = 0
  #lookedAt = 0
  /** Services that changed, while several things are done at once. */
  #untold: Set<string> | undefined
  #onEvent: (event: RegistryEvent, service: string, url: string) => void = () => {}
  #timer: NodeJS.Timeout | undefined

  constructor({ now = () => performance.now(), maxInstances = 10_000 }: ServiceRegistryOptions = {}) {
    this.#now = now
    this.#maxInstances = maxInstances
  }

  /**
   * Adds an instance, or changes the one with this URL; either way it is alive. `written`: a URL, or an object with `url`, `weight` and
   * `priority`. `ttlMs`: from a second to a day. Throws INVALID_ARGUMENT, or OVERLOADED when the registry is full.
   */
  register(service: string, written: unknown, ttlMs = 30_000): Instance {
    const target = registrable(service, written, ttlMs)
    const entries = this.#services.get(service) ?? new Map<string, Entry>()
    if (!entries.has(target.url)) this.#makeRoom()
    // Only now: what is refused leaves nothing behind.
    this.#services.set(service, entries)
    if (!entries.has(target.url)) this.#size++
    const entry: Entry = { target, ttlMs, expiresAt: this.#now() + ttlMs, expired: false }
    entries.set(target.url, entry)
    this.#dropExpired(service, entries)
    this.#look()
    this.#onEvent('registered', service, target.url)
    this.#tell(service)
    return instanceOf(entry)
  }

  /** A heartbeat. False: there is no such instance, it has to register. */
  renew(service: string, url: string): boolean {
    const entry = this.#services.get(service)?.get(originOf(url))
    if (entry === undefined) return false
    entry.expiresAt = this.#now() + entry.ttlMs
    this.#onEvent('renewed', service, entry.target.url)
    if (entry.expired) {
      entry.expired = false
      this.#tell(service)
    }
    return true
  }

  /** It ends: no new calls go to it, be it the last one. False: there is no such instance. */
  deregister(service: string, url: string): boolean {
    const origin = originOf(url)
    if (this.#services.get(service)?.has(origin) !== true) return false
    this.forget(service, origin)
    this.#onEvent('deregistered', service, origin)
    return true
  }

  /** Takes in what another node knows, or this one knew before it was started anew. What is known here already only lives longer by it. */
  adopt(service: string, { target, ttlMs, leftMs }: KnownInstance): void {
    const entries = this.#services.get(service) ?? new Map<string, Entry>()
    const known = entries.get(target.url)
    if (known === undefined && (leftMs <= 0 || this.#size >= this.#maxInstances)) return
    this.#services.set(service, entries)
    if (known === undefined) this.#size++
    const expiresAt = Math.max(this.#now() + leftMs, known?.expiresAt ?? 0)
    const expired = known?.expired === true && leftMs <= 0
    entries.set(target.url, { target, ttlMs, expiresAt, expired })
    if (!expired) this.#dropExpired(service, entries)
    this.#look()
    const isNews =
      known === undefined || known.expired !== expired || !isDeepStrictEqual(known.target, target)
    if (isNews) this.#tell(service)
  }

  /** Another node was told that it ends. */
  forget(service: string, url: string): void {
    if (this.#services.get(service)?.has(url) !== true) return
    this.#drop(service, url)
    this.#tell(service)
  }

  /** For other nodes; undefined: there is no such instance. */
  known(service: string, url: string): KnownInstance | undefined {
    const entry = this.#services.get(service)?.get(url)
    return entry && { target: entry.target, ttlMs: entry.ttlMs, leftMs: entry.expiresAt - this.#now() }
  }

  /** Has `told` called after each event here, not after those that are adopted. There is one listener. */
  onEvent(told: (event: RegistryEvent, service: string, url: string) => void): void {
    this.#onEvent = told
  }

  /** The names of all services that have instances. */
  get services(): readonly string[] {
    return [...this.#services.keys()]
  }

  instance(service: string, url: string): Instance | undefined {
    const entry = this.#services.get(service)?.get(originOf(url))
    return entry && instanceOf(entry)
  }

  instances(service: string): readonly Instance[] {
    return [...(this.#services.get(service)?.values() ?? [])].map(instanceOf)
  }

  /** Throws OVERLOADED when so many more would not find room, be it that of others which are silent. */
  requireRoom(more: number): void {
    let free = this.#maxInstances - this.#size
    if (free >= more) return
    for (const entries of this.#services.values())
      for (const { expired } of entries.values()) if (expired) free++
    if (free < more) throw this.#full()
  }

  /** Watchers are told of all that `act` changes when it has ended, once. */
  together(act: () => void): void {
    const untold = new Set<string>()
    this.#untold = untold
    try {
      act()
    } finally {
      this.#untold = undefined
      for (const service of untold) this.#tell(service)
    }
  }

  /** Has `changed` called after each change of the instances of a service; returns what ends that. */
  watch(service: string, changed: () => void): () => void {
    const watchers = this.#watchers.get(service) ?? new Set()
    this.#watchers.set(service, watchers.add(changed))
    return () => {
      watchers.delete(changed)
      if (watchers.size === 0 && this.#watchers.get(service) === watchers) this.#watchers.delete(service)
    }
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #makeRoom(): void {
    if (this.#size < this.#maxInstances) return
    for (const [service, entries] of this.#services) {
      for (const [url, { expired }] of entries) {
        if (!expired) continue
        this.#leaveOut(service, url)
        this.#tell(service)
        return
      }
    }
    throw this.#full()
  }

  #full(): GatewayError {
    return new GatewayError('OVERLOADED', `The registry is full: it holds ${this.#maxInstances} instances.`)
  }

  #dropExpired(service: string, entries: ReadonlyMap<string, Entry>): void {
    for (const [url, { expired }] of entries) if (expired) this.#leaveOut(service, url)
  }

  #leaveOut(service: string, url: string): void {
    this.#drop(service, url)
    this.#onEvent('expired', service, url)
  }

  #drop(service: string, url: string): void {
    const entries = this.#services.get(service)
    if (entries?.delete(url) !== true) return
    this.#size--
    if (entries.size === 0) this.#services.delete(service)
  }

  /** From the first registration on. */
  #look(): void {
    if (this.#timer !== undefined) return
    this.#lookedAt = this.#now()
    this.#timer = setInterval(() => this.#expire(), lookEveryMs).unref()
  }

  #expire(): void {
    const now = this.#now()
    // While we stood still, no heartbeat could come in.
    const stoodStillMs = Math.max(0, now - this.#lookedAt - 2 * lookEveryMs)
    this.#lookedAt = now
    for (const [service, entries] of this.#services) {
      let changed = false
      for (const [url, entry] of entries) {
        entry.expiresAt += stoodStillMs
        if (entry.expired || now < entry.expiresAt) continue
        changed = true
        if (entries.size > 1) this.#leaveOut(service, url)
        else entry.expired = true
      }
      if (changed) this.#tell(service)
    }
  }

  #tell(service: string): void {
    if (this.#untold !== undefined) {
      this.#untold.add(service)
      return
    }
    for (const changed of this.#watchers.get(service) ?? []) changed()
  }
}

function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : url
}

function instanceOf({ target, ttlMs, expired }: Entry): Instance {
  return { ...target, ttlMs, expired }
}
