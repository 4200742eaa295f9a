import { buildSchema, type DocumentNode, GraphQLError, type GraphQLSchema, parse, validate } from 'graphql'
import { readCostWeights } from '../cost/cost-weights.ts'
import { operationCost } from '../cost/operation-cost.ts'
import { documentRules } from '../document-rules.ts'
import { operationsOf } from '../documents.ts'
import type { KnownOperation } from '../operation.ts'
import type { Plan } from '../planning/plan.ts'
import { loadPlanner, type Planner } from '../planning/planner.ts'
import { readFeatures, withoutEnforcedFeatures } from '../supergraph-features.ts'

/** A supergraph that is looked into: what clients see of it, and how their operations would be run. */
export class Workbench {
  /** What clients may ask for. */
  readonly schema: GraphQLSchema
  readonly #supergraph: DocumentNode
  readonly #planner: Planner

  constructor(supergraph: DocumentNode, planner: Planner) {
    this.#supergraph = supergraph
    this.#planner = planner
    this.schema = buildSchema(planner.apiSdl, { assumeValid: true })
  }

  /** What is wrong with a text, each mistake with its line and column; empty: nothing. */
  mistakes(text: string): string[] {
    try {
      return validate(this.schema, parse(text), documentRules).map(shown)
    } catch (error) {
      if (error instanceof GraphQLError) return [shown(error)]
      throw error
    }
  }

  /** An operation of a valid text. Throws an Error when none is named so, or several are there and none is named. */
  operation(text: string, name: string | undefined): KnownOperation {
    const operations = operationsOf(parse(text), text)
    const found = name === undefined ? operations : operations.filter((one) => one.name === name)
    const [first, ...others] = found
    if (first !== undefined && others.length === 0) return first
    const names = operations.map((one) => one.name || '(without a name)').join(', ')
    throw new Error(`say which operation by --operation: there are ${names || 'none'}`)
  }

  /** As a gateway would run it. Without variables, conditions without a default are taken as false. */
  async plan(
    operation: KnownOperation,
    variables: Readonly<Record<string, unknown>> | undefined,
  ): Promise<Plan> {
    if (variables === undefined) return await this.#planner.warm(operation)
    return await this.#planner.plan({ operation, variables })
  }

  /** By `@cost` and `@listSize`, as it is counted before an operation runs. */
  cost(
    { document, node }: KnownOperation,
    options: { readonly listSize: number; readonly variables: Readonly<Record<string, unknown>> | undefined },
  ): number {
    const weights = readCostWeights(this.#supergraph, readFeatures(this.#supergraph))
    return operationCost(document, node, { schema: this.schema, weights, ...options })
  }

  close(): void {
    this.#planner.close()
  }
}

/** Rejects with an Error when the supergraph does not load. Close it. */
export async function openWorkbench(supergraphSdl: string): Promise<Workbench> {
  const supergraph = parse(supergraphSdl)
  return new Workbench(supergraph, await loadPlanner(withoutEnforcedFeatures(supergraph)))
}

function shown({ message, locations }: GraphQLError): string {
  const [place] = locations ?? []
  return place === undefined ? message : `${place.line}:${place.column}: ${message}`
}
