import type { GraphQLFormattedError } from 'graphql'
import { Mistake, within } from '../../core/mistake.ts'
import type { StoredOperation } from '../../core/stored-operation.ts'
import type { Place } from '../../core/text-template.ts'
import type { KnownDocument } from './documents.ts'
import type { Engine } from './engine.ts'
import { InvalidOperation } from './invalid-operation.ts'
import type { KnownOperation, OperationContext } from './operation.ts'
import { operationFailures } from './operation-failures.ts'
import { compileVariables, type WrittenVariables } from './operation-variables.ts'
import { wayProblem } from './operation-way.ts'

/** An operation as it is written in the configuration. */
export interface OperationSource {
  readonly text: string
  /** Which operation of the text; undefined: the only one. */
  readonly operationName: string | undefined
  readonly variables: WrittenVariables
  /** Where in the data somebody is going to look: `user`; undefined: nowhere in particular. */
  readonly at: string | undefined
}

/** Prepares an operation. Throws a Mistake below `operation`, `operationName`, `variables` or `at`. */
export function prepareOperation(
  source: OperationSource,
  { engine, place }: { readonly engine: Engine; readonly place: Place },
): StoredOperation {
  const { schema } = engine
  const { operation, type } = chosenOperation(source, () => readDocument(source.text, engine))
  const { name, node } = operation
  const problem =
    source.at === undefined
      ? undefined
      : wayProblem(source.at, { operation: node, document: operation.document, schema })
  if (problem !== undefined) throw new Mistake(['at'], problem)
  const definitions = node.variableDefinitions ?? []
  const fill = within(['variables'], () => compileVariables(source.variables, { schema, definitions, place }))
  return {
    type,
    name,
    async run(x, limits) {
      const context: OperationContext = { x, faults: [], limits }
      const variables = fill(x)
      engine.checkVariables(operation, variables)
      const { data, errors } = await engine.execute({ operation, variables, context })
      return {
        data: data === undefined ? undefined : JSON.parse(data),
        errors: operationFailures(errors, context.faults),
      }
    },
  }
}

/** The operation of a document that is meant. Throws a Mistake below `operation` or `operationName`. */
export function chosenOperation(
  { operationName }: Pick<OperationSource, 'operationName'>,
  read: () => KnownDocument,
): { readonly operation: KnownOperation; readonly type: StoredOperation['type'] } {
  const document = within(['operation'], read)
  const operation = within([operationName === undefined ? 'operation' : 'operationName'], () =>
    document.operation(operationName),
  )
  const { type } = operation
  if (type === 'subscription') throw new Mistake(['operation'], 'subscriptions are not supported')
  return { operation, type }
}

/** Parses and validates; throws an Error that names every mistake. */
function readDocument(text: string, engine: Engine): KnownDocument {
  try {
    return engine.read(text)
  } catch (error) {
    throw error instanceof InvalidOperation ? new Error(error.errors.map(shown).join('; ')) : error
  }
}

/** Lines and columns are those of the operation's text. */
function shown({ message, locations }: GraphQLFormattedError): string {
  const [place] = locations ?? []
  return place === undefined ? message : `line ${place.line}, column ${place.column} of it: ${message}`
}
