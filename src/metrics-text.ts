import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Registry } from 'prom-client'
import { Family } from './plugins/instruments.ts'

/**
 * What `/metrics` answers. With a thousand routes it has tens of thousands of lines, so it is put together piece by piece, and requests
 * are served in between; those who ask meanwhile get the same text.
 */
export class MetricsText {
  readonly contentType: string
  readonly #registry: Registry
  #rendering: Promise<string> | undefined

  constructor(registry: Registry) {
    this.#registry = registry
    this.contentType = registry.contentType
  }

  text(): Promise<string> {
    this.#rendering ??= this.#render().finally(() => {
      this.#rendering = undefined
    })
    return this.#rendering
  }

  async #render(): Promise<string> {
    const metrics: readonly { readonly name: string }[] = this.#registry.getMetricsAsArray()
    const families = metrics.filter((metric) => metric instanceof Family)
    // All in one turn: they share what they ask the gateway for.
    const others = metrics.filter((metric) => !(metric instanceof Family))
    const texts = await Promise.all(others.map(({ name }) => this.#registry.getSingleMetricAsString(name)))
    let text = texts.map((one) => `${one}\n`).join('\n')
    let pieces = 0
    for (const family of families) {
      text += '\n'
      for (const piece of family.text()) {
        text += piece
        if (++pieces % piecesPerTurn === 0) await nextTurn()
      }
    }
    return text
  }
}

/** Under a millisecond's work, histograms too. */
const piecesPerTurn = 100
