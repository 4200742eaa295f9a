/** Lets users of one thing have it one after the other, in the order in which they came. */
export class Turns {
  #last: Promise<void> = Promise.resolve()

  /** Resolves when it is free, with what gives it back; to be called once. */
  take(): Promise<() => void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const before = this.#last
    this.#last = before.then(() => promise)
    return before.then(() => resolve)
  }
}
