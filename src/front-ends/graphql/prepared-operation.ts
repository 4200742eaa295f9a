import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  NoSchemaIntrospectionCustomRule,
  type OperationDefinitionNode,
  parse,
  specifiedRules,
  validate,
} from 'graphql'
import { Mistake, within } from '../../core/mistake.ts'
import type { StoredOperation } from '../../core/stored-operation.ts'
import type { Place } from '../../core/text-template.ts'
import type { Apollo } from './apollo.ts'
import type { CheckedOperations } from './checked-operations.ts'
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

/** What operations are prepared with. */
export interface OperationTools {
  readonly apollo: Apollo
  readonly limits: CheckedOperations
  readonly introspection: boolean
}

/** Prepares an operation. Throws a Mistake below `operation`, `operationName`, `variables` or `at`. */
export function prepareOperation(
  source: OperationSource,
  { tools, place }: { readonly tools: OperationTools; readonly place: Place },
): StoredOperation {
  const { text, operationName } = source
  const { apollo, limits, introspection } = tools
  const { schema } = apollo
  const document = within(['operation'], () => readDocument(text, { schema, introspection }))
  const operation = within([operationName === undefined ? 'operation' : 'operationName'], () =>
    chosenOperation(document, limits.check(text, operationName)?.name),
  )
  const { operation: type, name, variableDefinitions: definitions = [] } = operation
  if (type === 'subscription') throw new Mistake(['operation'], 'subscriptions are not supported')
  const problem = source.at === undefined ? undefined : wayProblem(source.at, { operation, document, schema })
  if (problem !== undefined) throw new Mistake(['at'], problem)
  const fill = within(['variables'], () => compileVariables(source.variables, { schema, definitions, place }))
  const request = { query: text, ...(operationName === undefined ? undefined : { operationName }) }
  return {
    type,
    name: name?.value ?? '',
    async run(x, limits) {
      const { data, errors, faults } = await apollo.run(x, { ...request, variables: fill(x) }, limits)
      return { data, errors: operationFailures(errors, faults) }
    },
  }
}

/** Parses and validates; throws an Error that names every mistake. */
function readDocument(
  text: string,
  { schema, introspection }: { readonly schema: GraphQLSchema; readonly introspection: boolean },
): DocumentNode {
  let document: DocumentNode
  try {
    document = parse(text)
  } catch (error) {
    throw error instanceof GraphQLError ? new Error(shown(error)) : error
  }
  const rules = introspection ? specifiedRules : [...specifiedRules, NoSchemaIntrospectionCustomRule]
  const errors = validate(schema, document, rules)
  if (errors.length > 0) throw new Error(errors.map(shown).join('; '))
  return document
}

function chosenOperation(document: DocumentNode, name: string | undefined): OperationDefinitionNode {
  const operation = document.definitions.find(
    (node) => node.kind === Kind.OPERATION_DEFINITION && (node.name?.value ?? '') === name,
  )
  if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('there is no such operation')
  return operation
}

/** Lines and columns are those of the operation's text. */
function shown({ message, locations }: GraphQLError): string {
  const [place] = locations ?? []
  return place === undefined ? message : `line ${place.line}, column ${place.column} of it: ${message}`
}
