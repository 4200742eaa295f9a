import { createHash } from 'node:crypto'
import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  NoSchemaIntrospectionCustomRule,
  parse,
  specifiedRules,
  validate,
} from 'graphql'
import { GatewayError } from '../../core/error.ts'
import { BoundedMap } from './bounded-map.ts'
import { InvalidOperation } from './invalid-operation.ts'
import { above, checkLimits, type OperationLimits } from './limits.ts'
import type { KnownOperation } from './operation.ts'

/** What {@link Documents} holds texts to. */
export interface DocumentOptions {
  readonly schema: GraphQLSchema
  readonly limits: OperationLimits
  readonly introspection: boolean
}

/** A document that is valid and within the limits. */
export class KnownDocument {
  readonly operations: readonly KnownOperation[]
  /** How often it was read. */
  uses = 1

  constructor(operations: readonly KnownOperation[]) {
    this.operations = operations
  }

  /** The operation of that name; without one, the only one. Throws GRAPHQL_VALIDATION_FAILED. */
  operation(name: string | undefined): KnownOperation {
    const [first, ...others] = this.operations
    const found =
      name !== undefined
        ? this.operations.find((one) => one.name === name)
        : others.length === 0
          ? first
          : undefined
    if (found !== undefined) return found
    const problem =
      first === undefined
        ? 'The document has no operation.'
        : name === undefined
          ? 'Say which operation to run by "operationName".'
          : `There is no operation named "${name}".`
    throw new GatewayError('GRAPHQL_VALIDATION_FAILED', problem)
  }
}

/** A text and how often it was read. */
export interface UsedDocument {
  readonly text: string
  readonly uses: number
}

/** Reads documents: parses, holds them to the limits, validates; remembers those that passed (1,000 texts of at most 16 kB). */
export class Documents {
  readonly #options: DocumentOptions
  readonly #known = new BoundedMap<string, KnownDocument>(1_000)

  constructor(options: DocumentOptions) {
    this.#options = options
  }

  /** Throws a GatewayError for a document above a limit, an InvalidOperation for one that does not parse or is not valid. */
  read(text: string): KnownDocument {
    const known = this.#known.get(text)
    if (known !== undefined) {
      known.uses++
      return known
    }
    const document = this.#parse(text)
    checkLimits(document, this.#options.limits)
    this.#validate(document)
    const read = new KnownDocument(operationsOf(document, text))
    if (text.length <= maxRemembered) this.#known.set(text, read)
    return read
  }

  /** Those that are remembered, most used first. */
  mostUsed(max: number): UsedDocument[] {
    return [...this.#known.entries()]
      .map(([text, { uses }]) => ({ text, uses }))
      .sort((a, b) => b.uses - a.uses)
      .slice(0, max)
  }

  #parse(text: string): DocumentNode {
    const { tokens, depth } = this.#options.limits
    try {
      return parse(text, { maxTokens: tokens })
    } catch (error) {
      // The parser is recursive: what overflows its stack is nested thousands of levels deep.
      if (error instanceof RangeError) throw above('levels', depth)
      if (!(error instanceof GraphQLError)) throw error
      if (tooManyTokens.test(error.message)) throw above('tokens', tokens)
      throw new InvalidOperation('GRAPHQL_PARSE_FAILED', [error], false)
    }
  }

  #validate(document: DocumentNode): void {
    const { schema, introspection } = this.#options
    const errors = validate(schema, document, introspection ? specifiedRules : withoutIntrospection)
    if (errors.length > 0) throw new InvalidOperation('GRAPHQL_VALIDATION_FAILED', errors, !introspection)
  }
}

function operationsOf(document: DocumentNode, text: string): KnownOperation[] {
  return document.definitions.flatMap((node) => {
    if (node.kind !== Kind.OPERATION_DEFINITION) return []
    const name = node.name?.value ?? ''
    const hash = createHash('sha256').update(`${name}\0${text}`).digest('hex')
    return { name, type: node.operation, node, document, hash }
  })
}

const withoutIntrospection = [...specifiedRules, NoSchemaIntrospectionCustomRule]
const maxRemembered = 16_384
const tooManyTokens = /contains more that?n? \d+ tokens/
