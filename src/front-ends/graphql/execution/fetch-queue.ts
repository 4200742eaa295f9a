import { toGatewayError } from '../../../core/error.ts'
import type { OperationContext } from '../operation.ts'
import type { SubgraphData } from '../subgraphs/subgraph.ts'
import { type Ask, variablesOf } from './ask.ts'
import { type Combinations, suffixOf } from './combinations.ts'
import { requestOf } from './fetch-operation.ts'
import { partOf } from './part-of-answer.ts'

/** Sends what a run asks of its subgraphs; what it asks of one of them at the same time goes in one request. */
export class FetchQueue {
  readonly #context: OperationContext
  readonly #combinations: Combinations
  #waiting: Waiting[] = []

  constructor(context: OperationContext, combinations: Combinations) {
    this.#context = context
    this.#combinations = combinations
  }

  /** Resolves when the answer is in the data, or its failure is reported. */
  send(ask: Ask): Promise<void> {
    if (ask.fetch.operation.type !== 'query') return this.alone(ask)
    return new Promise((resolve) => {
      this.#waiting.push({ ask, resolve })
      // After all that goes on by itself at this moment: the steps that run beside each other come here one after the other.
      if (this.#waiting.length === 1) process.nextTick(this.#flush)
    })
  }

  readonly #flush = (): void => {
    const waiting = this.#waiting
    this.#waiting = []
    const [first, ...others] = waiting
    if (first !== undefined && others.length === 0) this.alone(first.ask).then(first.resolve)
    else for (const group of grouped(waiting)) this.#group(group)
  }

  #group(group: readonly Waiting[]): void {
    const settled = () => {
      for (const { resolve } of group) resolve()
    }
    const [first, ...others] = group
    if (first !== undefined && others.length === 0) this.alone(first.ask).then(first.resolve)
    else this.#together(group.map(({ ask }) => ask)).then(settled)
  }

  /** The same for what nothing else is asked at the same time with. */
  async alone(ask: Ask): Promise<void> {
    const { subgraph, operation } = ask.fetch
    try {
      ask.accept(await subgraph.fetch(requestOf(operation, variablesOf(ask)), this.#context))
    } catch (thrown) {
      ask.fail(toGatewayError(thrown))
    }
  }

  async #together(asks: readonly Ask[]): Promise<void> {
    const operation = this.#combinations.of(asks.map(({ fetch }) => fetch))
    const shared = new Set(asks.flatMap((ask) => ask.shared))
    const own = asks.flatMap((ask, index) => ask.own(suffixOf(index)))
    let answer: SubgraphData
    try {
      const { subgraph } = (asks[0] as Ask).fetch
      answer = await subgraph.fetch(requestOf(operation, [...shared, ...own]), this.#context)
    } catch (thrown) {
      const error = toGatewayError(thrown)
      for (const ask of asks) ask.fail(error)
      return
    }
    await Promise.all(asks.map((ask, index) => this.#take(ask, partOf(answer, ask.fetch, index))))
  }

  /** Where there is no data for a reason that is none of its own, it is asked for alone: nobody loses data by being asked for together. */
  #take(ask: Ask, part: SubgraphData | undefined): Promise<void> | undefined {
    if (part === undefined) return this.alone(ask)
    try {
      ask.accept(part)
    } catch (thrown) {
      ask.fail(toGatewayError(thrown))
    }
    return undefined
  }
}

interface Waiting {
  readonly ask: Ask
  resolve(): void
}

/** What can be asked for together. */
function grouped(waiting: readonly Waiting[]): Iterable<Waiting[]> {
  return Map.groupBy(waiting, ({ ask }) => ask.fetch.company).values()
}
