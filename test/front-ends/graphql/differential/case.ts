import { parse } from 'graphql'
import { GatewayError } from '../../../../src/core/error.ts'
import type { HttpExchange } from '../../../../src/core/http-exchange.ts'
import { silentLog } from '../../../../src/core/log.ts'
import { type Engine, startEngine } from '../../../../src/front-ends/graphql/engine.ts'
import { Executor } from '../../../../src/front-ends/graphql/execution/executor.ts'
import type { Execution, OperationResult } from '../../../../src/front-ends/graphql/operation.ts'
import { loadPlanner } from '../../../../src/front-ends/graphql/planning/planner.ts'
import { planningDefaults } from '../../../../src/front-ends/graphql/planning/planning-options.ts'
import { SharedSubscriptions } from '../../../../src/front-ends/graphql/subscriptions/shared-subscriptions.ts'
import { composeSupergraph } from '../../../../src/front-ends/graphql/supergraph.ts'
import { authorization, limits } from '../harness.ts'
import { differences } from './compare.ts'
import type { Query } from './generate-query.ts'
import type { Model } from './model.ts'
import { type Answer, LocalSubgraph, Monolith } from './servers.ts'
import { World } from './world.ts'

/** One graph, as one server and as subgraphs behind an engine. */
export interface Pair {
  readonly world: World
  readonly subgraphs: readonly LocalSubgraph[]
  readonly monolith: Monolith
  readonly engine: Engine
  /** What an engine runs events of subscriptions by. */
  readonly executor: Executor
  readonly supergraphSdl: string
  close(): void
}

/** What both made of a query. */
export interface Outcome {
  readonly expected: Answer
  readonly actual: Answer
  /** Empty: the same. */
  readonly differences: readonly string[]
  /** The planner found no right plan and said so. */
  readonly isUnplanned: boolean
  /** How often subgraphs were asked. */
  readonly fetches: number
}

/** Undefined when the subgraphs do not compose. */
export async function pairFor(
  model: Model,
  sdls?: { subgraphs: ReadonlyMap<string, string>; api: string },
): Promise<Pair | undefined> {
  const world = new World(model)
  const names = sdls === undefined ? model.subgraphs : [...sdls.subgraphs.keys()]
  const subgraphs = names.map((name) => new LocalSubgraph(world, name, sdls?.subgraphs.get(name)))
  let supergraphSdl: string
  try {
    supergraphSdl = (await composeSupergraph(subgraphs.map(({ name, sdl }) => ({ name, sdl })))).supergraphSdl
  } catch {
    return undefined
  }
  const engine = await startEngine({
    supergraphSdl,
    subgraphs,
    subscriptions: {
      shared: new SharedSubscriptions({ reconnects: 0, log: silentLog }),
      chargeEvents: false,
    },
    planning: { planning },
    limits: generous,
    viewer: { introspection: true, suggestions: true },
    guard: { authorization: { ...authorization, policies: new Map() }, maxCost: undefined, listSize: 10 },
    log: silentLog,
  })
  const planner = await loadPlanner(supergraphSdl, { planning })
  const executor = new Executor({
    schema: engine.schema,
    supergraph: parse(supergraphSdl),
    planner,
    subgraphs,
  })
  const close = () => {
    engine.close()
    planner.close()
  }
  return {
    world,
    subgraphs,
    monolith: new Monolith(world, sdls?.api),
    engine,
    executor,
    supergraphSdl,
    close,
  }
}

/** Asks both the same, with the same faults. */
export async function compared(pair: Pair, query: Query, faults: World['faults']): Promise<Outcome> {
  const { world, monolith, engine, subgraphs } = pair
  const document = parse(query.text)
  world.faults = faults
  world.log.length = 0
  const expected = await monolith.execute(document, query.variables)
  const expectedLog = world.log.splice(0)
  const faulty = faults.rate === 0 ? new Set<string>() : await monolith.faults(document, query.variables)
  world.log.length = 0
  for (const { complaints, fetches } of subgraphs) {
    complaints.length = 0
    fetches.length = 0
  }
  let actual: Answer
  try {
    const operation = engine.read(query.text).operation(undefined)
    engine.checkVariables(operation, query.variables)
    const context = { x: exchange(), faults: [] }
    const execution = { operation, variables: query.variables, context }
    const isEvent = operation.type === 'subscription'
    const { data = 'undefined', errors } = await (isEvent
      ? event(pair, execution)
      : engine.execute(execution))
    actual = { data, errors }
  } catch (error) {
    const isUnplanned = error instanceof GatewayError && error.message.includes('found no plan')
    const refused = `refused: ${error instanceof Error ? error.stack : error}`
    const nothing = { data: 'null', errors: [] }
    return { expected, actual: nothing, differences: [refused], isUnplanned, fetches: 0 }
  }
  const found = differences({ answer: expected, faults: faulty }, actual)
  for (const { complaints } of subgraphs) found.push(...complaints)
  if (world.log.join() !== expectedLog.join())
    found.push(`mutations ran as ${world.log.join()}, not ${expectedLog.join()}`)
  const asked = subgraphs.reduce((sum, { fetches }) => sum + fetches.length, 0)
  return { expected, actual, differences: found, isUnplanned: false, fetches: asked }
}

/** What one event of a subscription comes to. */
async function event({ executor, subgraphs }: Pair, execution: Execution): Promise<OperationResult> {
  const { subgraph, fetch } = await executor.subscription(execution)
  const data = await subgraphs.find(({ name }) => name === subgraph.name)?.fetch(fetch)
  if (data === undefined) throw new Error(`there is no subgraph ${subgraph.name}`)
  return executor.executeEvent(execution, data)
}

/** As much of an exchange as an operation needs that asks no backend over HTTP. */
function exchange(): HttpExchange {
  return {
    attributes: {},
    calls: [],
    get: () => undefined,
    signal: new AbortController().signal,
  } as unknown as HttpExchange
}

/** The machine may be busy with other tests. */
const planning = { ...planningDefaults, timeoutMs: 60_000 }

const generous = {
  ...limits,
  depth: 100,
  aliases: 1_000,
  tokens: 100_000,
  rootFields: 1_000,
  directives: 1_000,
}
