import { buildSubgraphSchema } from '@apollo/subgraph'
import { buildSchema, type GraphQLFormattedError, graphql, parse, validate } from 'graphql'
import { GatewayError } from '../../../../src/core/error.ts'
import type { Exchange } from '../../../../src/core/exchange.ts'
import { Executor } from '../../../../src/front-ends/graphql/execution/executor.ts'
import type { KnownOperation, OperationContext } from '../../../../src/front-ends/graphql/operation.ts'
import { loadPlanner } from '../../../../src/front-ends/graphql/planning/planner.ts'
import type { Subgraph, SubgraphFetch } from '../../../../src/front-ends/graphql/subgraphs/subgraph.ts'
import { composeSupergraph } from '../../../../src/front-ends/graphql/supergraph.ts'
import { withoutEnforcedFeatures } from '../../../../src/front-ends/graphql/supergraph-features.ts'

/** What a subgraph was asked. */
export interface Asked {
  readonly query: string
  // biome-ignore lint/suspicious/noExplicitAny: variables have any shape; the assertions check them
  readonly variables: any
}

/** One subgraph of a world: its schema, and what it answers. */
export interface Part {
  readonly sdl: string
  /** The whole answer: data, errors. What it throws is a failed fetch. */
  answer(asked: Asked): unknown
}

/** What a client got. */
export interface Got {
  // biome-ignore lint/suspicious/noExplicitAny: an answer has any shape; the assertions check it
  readonly data: any
  /** As it was written. */
  readonly text: string | undefined
  readonly errors: readonly GraphQLFormattedError[]
  readonly context: OperationContext
}

/** An executor over parts whose answers a test decides. */
export interface World {
  readonly asked: Record<string, Asked[]>
  readonly executor: Executor
  operation(text: string): KnownOperation
  run(text: string, variables?: Record<string, unknown>): Promise<Got>
}

/** A part that is a real GraphQL server but for its socket. */
export function realPart(sdl: string, resolvers: object): Part {
  const schema = buildSubgraphSchema({ typeDefs: parse(link + sdl), resolvers: resolvers as never })
  return {
    sdl,
    answer: ({ query, variables }) => graphql({ schema, source: query, variableValues: variables }),
  }
}

const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@shareable", "@requires",
  "@provides", "@inaccessible", "@interfaceObject", "@context", "@fromContext"])\n`

export async function worldOf(parts: Readonly<Record<string, Part>>): Promise<World> {
  const sources = Object.entries(parts).map(([name, { sdl }]) => ({ name, sdl: link + sdl }))
  const { supergraphSdl } = await composeSupergraph(sources)
  const planner = await loadPlanner(withoutEnforcedFeatures(parse(supergraphSdl)))
  const asked: Record<string, Asked[]> = {}
  const subgraphs = Object.entries(parts).map(([name, { answer }]): Subgraph => {
    const mine: Asked[] = []
    asked[name] = mine
    return {
      name,
      async fetch({ query, variables, body }: SubgraphFetch) {
        const one = { query, variables: JSON.parse(variables ?? '{}') }
        const sent = JSON.parse(body)
        if (sent.query !== query || JSON.stringify(sent.variables ?? {}) !== (variables ?? '{}'))
          throw new Error('the body says something else than its parts')
        mine.push(one)
        // As it comes over a wire, where nothing is shared and `__proto__` is a key.
        const text = await answer(one)
        const { data, errors = [] } = JSON.parse(typeof text === 'string' ? text : JSON.stringify(text))
        return { data, errors }
      },
    }
  })
  const schema = buildSchema(planner.apiSdl)
  const executor = new Executor({ schema, supergraph: parse(supergraphSdl), planner, subgraphs })
  const known = new Map<string, KnownOperation>()
  const operation = (text: string): KnownOperation => {
    const document = parse(text)
    const problems = validate(schema, document)
    if (problems.length > 0) throw problems[0]
    const node = document.definitions.find((one) => one.kind === 'OperationDefinition')
    if (node === undefined) throw new Error('no operation')
    const one = known.get(text) ?? { name: '', type: node.operation, node, document, hash: text }
    known.set(text, one)
    return one
  }
  return {
    asked,
    executor,
    operation,
    async run(text, variables = {}) {
      const context = contextOf()
      const result = await executor.execute({ operation: operation(text), variables, context })
      return {
        data: result.data === undefined ? undefined : JSON.parse(result.data),
        text: result.data,
        errors: result.errors,
        context,
      }
    },
  }
}

export function contextOf(): OperationContext {
  const x = { gone: false, calls: [], attributes: {} } as unknown as Exchange
  return { x: x as OperationContext['x'], faults: [] }
}

/** A failed fetch. */
export function refused(): never {
  throw new GatewayError('UPSTREAM_REFUSED', 'Nobody is there.')
}

/** The paths of errors, as text. */
export function pathsOf({ errors }: Got): string[] {
  return errors.map(({ path }) => path?.join('.') ?? '')
}
