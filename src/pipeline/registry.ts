import type { Registry } from 'prom-client'
import type { z } from 'zod'
import type { Logger } from '../core/log.ts'
import type { Plugin } from '../core/plugin.ts'
import type { Policy } from '../core/route.ts'
import type { Place } from '../core/text-template.ts'
import type { RedisClient } from '../store/redis.ts'

/** What the house lends to a plugin. Plugins read no clock, environment or global of their own. */
export interface PluginHost {
  readonly log: Logger
  /** Unix time in milliseconds. */
  now(): number
  readonly metrics: Registry
  /** Version of the configuration that the plugin belongs to. */
  readonly configVersion: number
  /** The shared connection to the Redis of `stores.redis`; undefined when none is configured. */
  readonly redis: RedisClient | undefined
  /** The policy that the plugin was put into; undefined for the global list. */
  readonly policy: Policy | undefined
  /** What texts with values in them may name where the plugin stands. */
  readonly place: Place
  /**
   * State that outlives a reload of the configuration: the value made for `key` the first time, the same one after that.
   * Dropped when no live configuration asks for it any more.
   */
  keep<T>(key: string, make: () => T): T
}

/** A plugin as it is registered: its name in the configuration, its options, and how one is made. */
export interface PluginDefinition {
  readonly name: string
  /** Checks and completes the options; also what the JSON schema and the documentation are written from. */
  readonly options: z.ZodType
  /** Called once per place that the plugin stands in, each time configuration loads. Throw to refuse the configuration. */
  create(options: unknown, host: PluginHost): Plugin
}

/** Declares a plugin; the type of its options follows from their schema. */
export function definePlugin<S extends z.ZodType>(definition: {
  readonly name: string
  readonly options: S
  create(options: z.output<S>, host: PluginHost): Plugin
}): PluginDefinition {
  return {
    name: definition.name,
    options: definition.options,
    create: (options, host) => definition.create(options as z.output<S>, host),
  }
}
