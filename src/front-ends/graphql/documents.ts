import { createHash } from 'node:crypto'
import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  NoSchemaIntrospectionCustomRule,
  parse,
  validate,
} from 'graphql'
import { GatewayError } from '../../core/error.ts'
import { BoundedMap } from './bounded-map.ts'
import { documentRules } from './document-rules.ts'
import { type DocumentMistake, InvalidOperation } from './invalid-operation.ts'
import { above, checkLimits, type OperationLimits } from './limits.ts'
import type { KnownOperation } from './operation.ts'
import type { Viewer } from './requests/viewer.ts'

/** What {@link Documents} holds texts to. */
export interface DocumentOptions {
  readonly schema: GraphQLSchema
  readonly limits: OperationLimits
}

/** A document that is valid and within the limits. */
export class KnownDocument {
  readonly operations: readonly KnownOperation[]
  /** How often it was read. */
  uses = 1

  /** Where it asks for the schema; empty: nowhere. */
  readonly asksForSchema: readonly DocumentMistake[]

  constructor(operations: readonly KnownOperation[], asksForSchema: readonly DocumentMistake[]) {
    this.operations = operations
    this.asksForSchema = asksForSchema
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
          : `There is no operation named "${name.slice(0, 100)}".`
    throw new GatewayError('GRAPHQL_VALIDATION_FAILED', problem)
  }
}

/** A text and how often it was read. */
export interface UsedDocument {
  readonly text: string
  readonly uses: number
}

/**
 * Reads documents: parses, holds them to the limits, validates; remembers those that passed (1,000 texts of at most 16 kB), and the mistakes of the
 * last 100 others. What is remembered is the same for all callers; what they are told is not.
 */
export class Documents {
  readonly #options: DocumentOptions
  readonly #known = new BoundedMap<string, KnownDocument>(1_000)
  readonly #invalid = new BoundedMap<string, readonly DocumentMistake[]>(100)

  constructor(options: DocumentOptions) {
    this.#options = options
  }

  /** Throws a GatewayError for a document above a limit, an InvalidOperation for one that does not parse or is not valid. */
  read(text: string, viewer: Viewer): KnownDocument {
    const known = this.#known.get(text)
    if (known !== undefined) known.uses++
    const read = known ?? this.#learn(text, viewer)
    if (!viewer.introspection && read.asksForSchema.length > 0)
      throw new InvalidOperation('GRAPHQL_VALIDATION_FAILED', read.asksForSchema, true)
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

  #learn(text: string, { suggestions }: Viewer): KnownDocument {
    const mistakes = this.#invalid.get(text)
    if (mistakes !== undefined)
      throw new InvalidOperation('GRAPHQL_VALIDATION_FAILED', mistakes, !suggestions)
    const { schema, limits } = this.#options
    const document = this.#parse(text)
    checkLimits(document, limits)
    const errors = validate(schema, document, documentRules, { maxErrors: maxMistakes })
    if (errors.at(-1)?.message === 'Validation aborted.')
      throw new GatewayError(
        'GRAPHQL_LIMIT_EXCEEDED',
        'The operation asks for too much in one place to be validated.',
      )
    if (errors.length > 0) {
      const found = errors.map(({ message, locations }) => ({ message, locations }))
      if (text.length <= maxRemembered) this.#invalid.set(text, found)
      throw new InvalidOperation('GRAPHQL_VALIDATION_FAILED', found, !suggestions)
    }
    const read = new KnownDocument(operationsOf(document, text), schemaQuestions(schema, document))
    if (text.length <= maxRemembered) this.#known.set(text, read)
    return read
  }
}

/** Each place where a document asks for the schema, as a mistake. */
function schemaQuestions(schema: GraphQLSchema, document: DocumentNode): DocumentMistake[] {
  const errors = validate(schema, document, [NoSchemaIntrospectionCustomRule], { maxErrors: maxMistakes })
  return errors.map(({ message, locations }) => ({ message, locations }))
}

/** The operations of a document; their hashes tell them apart by this text. */
export function operationsOf(document: DocumentNode, text: string): KnownOperation[] {
  return document.definitions.flatMap((node) => {
    if (node.kind !== Kind.OPERATION_DEFINITION) return []
    const name = node.name?.value ?? ''
    const hash = createHash('sha256').update(`${name}\0${text}`).digest('hex')
    return { name, type: node.operation, node, document, hash }
  })
}

const maxRemembered = 16_384
/** More of one document are not looked for. */
const maxMistakes = 20
const tooManyTokens = /contains more that?n? \d+ tokens/
