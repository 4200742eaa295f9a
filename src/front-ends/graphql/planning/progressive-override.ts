import { createHash } from 'node:crypto'
import type { Execution } from '../operation.ts'

/** An execution, or an operation that is planned ahead of any. */
export type PlannedExecution = Pick<Execution, 'operation' | 'variables'> &
  Partial<Pick<Execution, 'context'>>

/**
 * Decides labels of progressive `@override`: `percent(12.5)` is on for that share of requests (Federation 2.7), any other where it is
 * configured. A request has one draw for all of its operations. A subscription is decided by its operation and variables, so
 * that each of its events is planned as its start was.
 */
export class ProgressiveOverride {
  readonly #on: ReadonlySet<string>
  readonly #random: () => number
  readonly #draws = new WeakMap<object, number>()
  readonly #shares = new Map<string, number | undefined>()

  /** @param on Labels that are on. */
  constructor(on: readonly string[], random: () => number = Math.random) {
    this.#on = new Set(on)
    this.#random = random
  }

  /** From 0 to below 100. */
  drawFor({ operation, variables, context }: PlannedExecution): number {
    if (operation.type === 'subscription') {
      const digest = createHash('sha256')
        .update(`${operation.hash}${JSON.stringify(variables)}`)
        .digest()
      return (digest.readUInt32BE() / 2 ** 32) * 100
    }
    const exchange = context?.x
    let draw = exchange === undefined ? undefined : this.#draws.get(exchange)
    if (draw === undefined) {
      draw = this.#random() * 100
      if (exchange !== undefined) this.#draws.set(exchange, draw)
    }
    return draw
  }

  /** @param draw Of {@link drawFor}. */
  isOn(label: string, draw: number): boolean {
    let share = this.#shares.get(label)
    if (share === undefined && !this.#shares.has(label)) {
      share = shareOf(label)
      this.#shares.set(label, share)
    }
    return share === undefined ? this.#on.has(label) : draw < share
  }
}

function shareOf(label: string): number | undefined {
  const percent = /^percent\((\d{1,3}(?:\.\d{1,8})?)\)$/.exec(label)?.[1]
  return percent === undefined ? undefined : Number(percent)
}
