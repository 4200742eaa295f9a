import { messageOf } from './message-of.ts'

/** What is wrong with a configured value, and where in it: the keys that lead there. */
export class Mistake extends Error {
  readonly path: readonly PropertyKey[]

  constructor(path: readonly PropertyKey[], message: string, options?: ErrorOptions) {
    super(message, options)
    this.path = path
  }
}

/** What `make` makes; a mistake that it throws is said to be below `path`. */
export function within<T>(path: readonly PropertyKey[], make: () => T): T {
  try {
    return make()
  } catch (error) {
    const below = error instanceof Mistake ? error.path : []
    const message = messageOf(error)
    throw new Mistake([...path, ...below], message, { cause: error })
  }
}
