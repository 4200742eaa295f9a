/** What second tries may add to the load of an upstream that is in trouble already. */
export interface BudgetOptions {
  /** Of the calls of the last ten seconds. */
  readonly percent: number
  /** Allowed whatever the load is. */
  readonly minPerSecond: number
}

/** Counts calls and second tries of the last ten seconds, second by second. */
export class RetryBudget {
  readonly #options: BudgetOptions
  readonly #calls = new Array<number>(windowSeconds).fill(0)
  readonly #spent = new Array<number>(windowSeconds).fill(0)
  #second = 0

  constructor(options: BudgetOptions) {
    this.#options = options
  }

  /** `now`: `performance.now()`. */
  count(now: number): void {
    const at = this.#at(now)
    this.#calls[at] = (this.#calls[at] as number) + 1
  }

  /** Whether one more second try is allowed, which is then counted. */
  spend(now: number): boolean {
    const at = this.#at(now)
    const { percent, minPerSecond } = this.#options
    const allowed = (sum(this.#calls) * percent) / 100
    const spent = sum(this.#spent)
    if (spent >= allowed && (this.#spent[at] as number) >= minPerSecond) return false
    this.#spent[at] = (this.#spent[at] as number) + 1
    return true
  }

  #at(now: number): number {
    const second = Math.floor(now / 1_000)
    if (second === this.#second) return second % windowSeconds
    for (let past = Math.max(this.#second + 1, second - windowSeconds + 1); past <= second; past++) {
      this.#calls[past % windowSeconds] = 0
      this.#spent[past % windowSeconds] = 0
    }
    this.#second = second
    return second % windowSeconds
  }
}

function sum(counts: readonly number[]): number {
  let total = 0
  for (const count of counts) total += count
  return total
}

const windowSeconds = 10
