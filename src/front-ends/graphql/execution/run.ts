import type { GraphQLFormattedError } from 'graphql'
import type { GatewayError } from '../../../core/error.ts'
import { extensionsOf } from '../errors.ts'
import { Variables } from '../inclusion.ts'
import type { Execution } from '../operation.ts'
import type { Combinations } from './combinations.ts'
import type { DataObject } from './data-object.ts'
import { FetchQueue } from './fetch-queue.ts'

/** Where in the data: response keys of the operation as it was planned, and indexes. */
export type DataErrorPath = readonly (string | number)[]

/** An error of a fetch, before it is known where the client sees it. */
export interface FetchError {
  readonly error: GraphQLFormattedError
  readonly path: DataErrorPath
  /** Whether the path is that of the field which failed, and not of one around it. */
  readonly isExact: boolean
}

/** One execution while it runs. */
export class Run {
  readonly execution: Execution
  /** Those of the client, with the defaults of the operation. */
  readonly variables: Variables
  /** What the fetches brought so far. */
  readonly data: DataObject
  readonly errors: FetchError[] = []
  /** Where its fetches wait for each other. */
  readonly queue: FetchQueue
  readonly #texts = new Map<string, string | undefined>()

  constructor(execution: Execution, combinations: Combinations, data: DataObject = {}) {
    this.data = data
    this.execution = execution
    this.queue = new FetchQueue(execution.context, combinations)
    this.variables = new Variables(execution.variables, execution.operation.node)
  }

  /** A variable as the client sent it, as JSON; undefined when it did not. */
  variable(name: string): string | undefined {
    const { variables } = this.execution
    if (!Object.hasOwn(variables, name)) return undefined
    let text = this.#texts.get(name)
    if (text === undefined) {
      text = JSON.stringify(variables[name])
      this.#texts.set(name, text)
    }
    return text
  }
}

/** A failed fetch as clients see it. */
export function toldFailure(error: GatewayError): GraphQLFormattedError {
  return { message: error.message, extensions: extensionsOf(error) }
}
