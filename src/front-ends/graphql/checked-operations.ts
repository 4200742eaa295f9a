import { GraphQLError, Kind, parse } from 'graphql'
import { GatewayError } from '../../core/error.ts'
import { BoundedMap } from './bounded-map.ts'
import { above, checkLimits, type OperationLimits } from './limits.ts'

/** What is known of one operation of a document before it is validated. */
export interface OperationFacts {
  /** `''` when it has none. */
  readonly name: string
  readonly type: 'query' | 'mutation' | 'subscription'
}

/** Holds documents to the limits before Apollo sees them, and remembers those that passed (1,000 texts of at most 16 kB). */
export class CheckedOperations {
  readonly #limits: OperationLimits
  readonly #passed = new BoundedMap<string, readonly OperationFacts[]>(1_000)

  constructor(limits: OperationLimits) {
    this.#limits = limits
  }

  /**
   * The operation of the document that is to run; undefined when the text does not parse, which Apollo refuses with the place of the
   * mistake. Throws a GatewayError when the document is above a limit, or when there is no such operation.
   */
  check(query: string, operationName: string | undefined): OperationFacts | undefined {
    let operations = this.#passed.get(query)
    if (operations === undefined) {
      operations = this.#checkText(query)
      if (operations === undefined) return undefined
      if (query.length <= maxRemembered) this.#passed.set(query, operations)
    }
    const operation = chosen(operations, operationName)
    if (operation !== undefined) return operation
    const problem =
      operationName === undefined
        ? 'Say which operation to run by "operationName".'
        : `There is no operation named "${operationName}".`
    throw new GatewayError('GRAPHQL_VALIDATION_FAILED', problem)
  }

  #checkText(query: string): OperationFacts[] | undefined {
    const { tokens } = this.#limits
    let document: ReturnType<typeof parse>
    try {
      document = parse(query, { maxTokens: tokens, noLocation: true })
    } catch (error) {
      // The parser is recursive: what overflows its stack is nested thousands of levels deep.
      if (error instanceof RangeError) throw above('levels', this.#limits.depth)
      if (error instanceof GraphQLError && tooManyTokens.test(error.message)) throw above('tokens', tokens)
      return undefined
    }
    checkLimits(document, this.#limits)
    return document.definitions.flatMap((definition) =>
      definition.kind === Kind.OPERATION_DEFINITION
        ? { name: definition.name?.value ?? '', type: definition.operation }
        : [],
    )
  }
}

function chosen(operations: readonly OperationFacts[], name: string | undefined): OperationFacts | undefined {
  if (name === undefined) return operations.length === 1 ? operations[0] : undefined
  return operations.find((operation) => operation.name === name)
}

const maxRemembered = 16_384
const tooManyTokens = /contains more that?n? \d+ tokens/
