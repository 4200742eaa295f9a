import type { Target } from '../core/target.ts'

/** One registered instance of a service. */
export interface Instance extends Target {
  /** How long it stays without a heartbeat, in milliseconds. */
  readonly ttlMs: number
  /** Whether its heartbeats have stopped; then it is the only one of its service. */
  readonly expired: boolean
}

/** What became of an instance here: `expired` is what no longer renews, and is left out. */
export type RegistryEvent = 'registered' | 'renewed' | 'deregistered' | 'expired'

/** What one node knows of an instance, for another one. */
export interface KnownInstance {
  readonly target: Target
  readonly ttlMs: number
  /** Until it is taken for gone, in milliseconds. */
  readonly leftMs: number
}
