import type { HttpExchange } from '../core/http-exchange.ts'

/**
 * The exchanges that have not settled. An array in which each knows its place: a Set that thousands of exchanges a second pass through
 * leaves old tables behind, which keep settled exchanges alive into the old generation of the heap (a third of a request's CPU).
 */
export class ActiveExchanges {
  readonly #list: HttpExchange[] = []

  add(x: HttpExchange): void {
    x.place = this.#list.length
    this.#list.push(x)
  }

  /** Called once per exchange that was added; the last one of the list takes its place. */
  remove(x: HttpExchange): void {
    const last = this.#list.pop()
    if (last === undefined || last === x) return
    this.#list[x.place] = last
    last.place = x.place
  }

  get size(): number {
    return this.#list.length
  }

  /** All of them now; a copy, because those that are ended on the way leave the list. */
  all(): HttpExchange[] {
    return this.#list.slice()
  }
}
