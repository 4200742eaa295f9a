import type { Registry } from 'prom-client'
import type { Logger } from './core/log.ts'
import type { Plugin } from './core/plugin.ts'
import type { IdentityState } from './identity-state.ts'
import type { KeptReleases } from './kept-releases.ts'
import type { KeptState } from './kept-state.ts'
import type { PluginDefinition } from './pipeline/registry.ts'
import type { Reflections } from './reflections.ts'
import type { RedisClient } from './store/redis.ts'
import type { Upstreams } from './upstreams.ts'

/** What a configuration is built with; shared by all generations of a gateway. */
export interface BuildContext {
  readonly definitions: readonly PluginDefinition[]
  readonly log: Logger
  readonly metrics: Registry
  /** The clock of plugins, Unix time in milliseconds. */
  now(): number
  readonly configVersion: number
  readonly redis: RedisClient | undefined
  readonly upstreams: Upstreams
  readonly identity: IdentityState
  /** Undefined: canaries begin anew with each start. */
  readonly releases: KeptReleases | undefined
  readonly kept: KeptState
  /** What `/readyz` says. */
  ready(): boolean
  /** What is told of every exchange at its end, whatever a configuration of this version lists. */
  observers(configVersion: number): readonly Plugin[]
  /** Undefined: no backend is asked. */
  readonly reflections: Reflections | undefined
}
