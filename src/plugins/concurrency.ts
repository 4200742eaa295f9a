import { z } from 'zod'
import { GatewayError } from '../core/error.ts'
import { type Exchange, Slot } from '../core/exchange.ts'
import type { Plugin } from '../core/plugin.ts'
import { definePlugin, type PluginDefinition, type PluginHost } from '../pipeline/registry.ts'
import { compilePartition, type Partition, partitionPattern } from './partition.ts'

const options = z.strictObject({
  max: z.int().min(1).max(1_000_000).describe('Requests under way of one caller at the most.'),
  by: z
    .string()
    .regex(partitionPattern, 'expected consumer, user, key, ip, route, header:<name> or claim:<name>')
    .default('ip')
    .describe(
      'Whose requests are counted together: ip (IPv6: its /64), consumer, user, key, route, header:<name>, claim:<name>. Who has no such thing is counted by address.',
    ),
})

/**
 * Bounds the requests that a caller has under way, with TOO_MANY_AT_ONCE. One is under way until its answer is complete or given up; a WebSocket
 * until it ends. Counted in this process; an entry is forgotten with the last request of its caller.
 */
export const concurrency: PluginDefinition = definePlugin({
  name: 'concurrency',
  options,
  create: (settings, host): Plugin => new Concurrency(settings, host),
})

class Concurrency implements Plugin {
  readonly #max: number
  readonly #partition: Partition
  /** By caller; those of the configuration before, which are under way still, among them. */
  readonly #underWay: Map<string, number>
  /** What an exchange is counted under here: of two such plugins each frees its own. */
  readonly #taken = new Slot<string>('concurrency')

  constructor({ max, by }: z.output<typeof options>, host: PluginHost) {
    if (host.policy === undefined && /^(?:consumer|user|key|claim:)/.test(by)) {
      throw new Error(
        `by: ${by}: nobody knows who it is where the global plugins run; put it into the list of a place`,
      )
    }
    if (by === 'operation') throw new Error('by: operation: is known too late here; use route')
    this.#max = max
    this.#partition = compilePartition(by)
    const place = host.policy?.id ?? 'global'
    this.#underWay = host.keep(`concurrency:${place}:${by}`, () => new Map())
  }

  onRequest(x: Exchange): void {
    const key = this.#partition(x, '')
    const count = this.#underWay.get(key) ?? 0
    if (count >= this.#max) {
      throw new GatewayError('TOO_MANY_AT_ONCE', `At most ${this.#max} requests may be under way at once.`, {
        retryAfterMs: 1_000,
      })
    }
    this.#underWay.set(key, count + 1)
    x.set(this.#taken, key)
  }

  onSettled(x: Exchange): void {
    const key = x.get(this.#taken)
    if (key === undefined) return
    const left = (this.#underWay.get(key) ?? 1) - 1
    if (left > 0) this.#underWay.set(key, left)
    else this.#underWay.delete(key)
  }
}
