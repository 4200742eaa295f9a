import type { ASTNode } from 'graphql'

/** One mistake in what a subgraph's resolvers say, or in the schema that they fill. */
export interface ServiceMistake {
  /** Keys below `resolvers` or `enums`, which is the first; undefined: it stands in the schema. */
  readonly path: readonly PropertyKey[] | undefined
  /** In the schema, from 1. */
  readonly line: number
  readonly column: number
  readonly message: string
}

/** Every mistake that was found in one subgraph. */
export class ServiceMistakes extends Error {
  override readonly name = 'ServiceMistakes'
  readonly mistakes: readonly ServiceMistake[]

  constructor(mistakes: readonly ServiceMistake[]) {
    super(mistakes.map(({ message }) => message).join('\n'))
    this.mistakes = mistakes
  }
}

/** Collects mistakes, so that all are told at once. */
export class MistakeList {
  readonly #mistakes: ServiceMistake[] = []

  /** In the configuration. */
  at(path: readonly PropertyKey[], message: string): void {
    this.#mistakes.push({ path, line: 0, column: 0, message })
  }

  /** In the schema. */
  in(node: ASTNode | null | undefined, message: string): void {
    const { line = 1, column = 1 } = node?.loc?.startToken ?? {}
    this.#mistakes.push({ path: undefined, line, column, message })
  }

  /** Throws a {@link ServiceMistakes} when there are any. */
  throwIfAny(): void {
    if (this.#mistakes.length > 0) throw new ServiceMistakes(this.#mistakes)
  }
}
