import { buildSubgraphSchema } from '@apollo/subgraph'
import {
  buildSchema,
  type DocumentNode,
  type ExecutionResult,
  execute,
  type GraphQLFormattedError,
  type GraphQLSchema,
  Kind,
  parse,
  print,
  validate,
  visit,
} from 'graphql'
import type {
  Subgraph,
  SubgraphData,
  SubgraphFetch,
} from '../../../../src/front-ends/graphql/subgraphs/subgraph.ts'
import { apiSdl, subgraphSdl } from './sdl.ts'
import { resolverFor, type World } from './world.ts'

/** What a server answered, as it went over the wire. */
export interface Answer {
  readonly data: string
  readonly errors: readonly GraphQLFormattedError[]
}

/** A subgraph in this process. It is as strict as a server can be about what it is sent. */
export class LocalSubgraph implements Subgraph {
  readonly name: string
  readonly sdl: string
  readonly schema: GraphQLSchema
  /** What it was asked since they were last cleared. */
  readonly fetches: SubgraphFetch[] = []
  /** What was wrong with what it was asked. */
  readonly complaints: string[] = []
  readonly #documents = new Map<string, DocumentNode>()
  readonly #world: World

  constructor(world: World, name: string, sdl = subgraphSdl(world.model, name)) {
    this.name = name
    this.sdl = sdl
    this.#world = world
    this.schema = buildSubgraphSchema({ typeDefs: parse(sdl), resolvers: this.#resolvers(sdl) as never })
  }

  async fetch(fetch: SubgraphFetch): Promise<SubgraphData> {
    this.fetches.push(fetch)
    const { query, variables, operationName, body } = fetch
    if (JSON.stringify(JSON.parse(body).variables) !== (variables && JSON.stringify(JSON.parse(variables))))
      this.complaints.push(`${this.name}: the body has other variables than the fetch: ${body}`)
    return this.answer({
      query,
      operationName,
      variables: variables === undefined ? undefined : JSON.parse(variables),
    })
  }

  async answer(request: {
    query: string
    operationName?: string | undefined
    variables?: Record<string, unknown> | undefined
  }): Promise<SubgraphData> {
    const document = this.#document(request.query)
    this.#checkVariables(document, request)
    const result = await execute({
      schema: this.schema,
      document,
      variableValues: request.variables,
      operationName: request.operationName,
      fieldResolver: resolverFor(this.#world, { subgraph: this.name }),
    })
    for (const { originalError, message } of result.errors ?? []) {
      const isFault =
        originalError === undefined || /^Fault at |cannot represent|Cannot return null/.test(message)
      if (!isFault || /^Variable "/.test(message))
        this.complaints.push(`${this.name}: ${message} for ${JSON.stringify(request)}`)
    }
    const { data, errors = [] } = JSON.parse(JSON.stringify(result)) as Partial<SubgraphData>
    return {
      data,
      errors: errors.map((error) => ({
        ...error,
        extensions: { ...error.extensions, reason: 'SUBGRAPH_ERROR' },
      })),
    }
  }

  #document(query: string): DocumentNode {
    let document = this.#documents.get(query)
    if (document === undefined) {
      document = parse(query, { noLocation: true })
      for (const { message } of validate(this.schema, document))
        this.complaints.push(`${this.name}: invalid: ${message} in ${query}`)
      this.#documents.set(query, document)
    }
    return document
  }

  #checkVariables(
    document: DocumentNode,
    { variables = {}, query }: { variables?: object | undefined; query: string },
  ): void {
    const declared = new Set(
      document.definitions
        .flatMap((node) => (node.kind === Kind.OPERATION_DEFINITION ? (node.variableDefinitions ?? []) : []))
        .map(({ variable }) => variable.name.value),
    )
    for (const name of Object.keys(variables))
      if (!declared.has(name))
        this.complaints.push(`${this.name}: variable $${name} is sent but not declared: ${query}`)
  }

  #resolvers(sdl: string): Record<string, object> {
    const keyed = parse(sdl).definitions.flatMap((node) =>
      (node.kind === Kind.OBJECT_TYPE_DEFINITION || node.kind === Kind.INTERFACE_TYPE_DEFINITION) &&
      node.directives?.some(({ name }) => name.value === 'key')
        ? node.name.value
        : [],
    )
    const __resolveReference = (representation: Record<string, unknown>) =>
      this.#world.referenced(representation, this.name)
    return Object.fromEntries(keyed.map((name) => [name, { __resolveReference }]))
  }
}

/** The same graph in one server of graphql-js alone. */
export class Monolith {
  readonly schema: GraphQLSchema
  readonly #lenient: GraphQLSchema
  readonly #world: World

  constructor(world: World, sdl = apiSdl(world.model)) {
    this.#world = world
    this.schema = buildSchema(sdl)
    this.#lenient = buildSchema(print(nullable(parse(sdl))))
  }

  async execute(document: DocumentNode, variables: Record<string, unknown>): Promise<Answer> {
    const result = await execute({
      schema: this.schema,
      document,
      variableValues: variables,
      fieldResolver: resolverFor(this.#world, 'monolith'),
    })
    return answer(result)
  }

  /** Where each fault is, those below others that a non-null field would swallow included. */
  async faults(document: DocumentNode, variables: Record<string, unknown>): Promise<Set<string>> {
    const result = await execute({
      schema: this.#lenient,
      document,
      variableValues: variables,
      fieldResolver: resolverFor(this.#world, 'lenient'),
    })
    return new Set((result.errors ?? []).map(({ path }) => JSON.stringify(path)))
  }
}

function answer({ data, errors = [] }: ExecutionResult): Answer {
  return { data: JSON.stringify(data), errors: errors.map((error) => error.toJSON()) }
}

/** The schema with every field nullable. */
function nullable(document: DocumentNode): DocumentNode {
  return visit(document, {
    InputValueDefinition: () => false,
    NonNullType: { leave: ({ type }) => type },
  })
}
