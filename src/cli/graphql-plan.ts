import { isRecord } from '../core/is-record.ts'
import { fetchCount, planDepth, planText, subgraphsOf } from '../front-ends/graphql/supergraph/plan-text.ts'
import { openWorkbench } from '../front-ends/graphql/supergraph/workbench.ts'
import type { CommandInput } from './command.ts'
import { readText, supergraphOf } from './supergraph-of.ts'

/** `gateway graphql plan FILE|TEXT`: how a gateway would run an operation. */
export async function planGraphql(input: CommandInput): Promise<number> {
  const [word = ''] = input.words
  const text = word.includes('{') ? word : readText(word)
  const variables = variablesOf(input.values.variables)
  const { supergraphSdl, listSize } = await supergraphOf(input, [])
  const bench = await openWorkbench(supergraphSdl)
  try {
    const mistakes = bench.mistakes(text)
    if (mistakes.length > 0) {
      for (const mistake of mistakes) console.error(mistake)
      return 1
    }
    const operation = bench.operation(text, input.values.operation)
    const plan = await bench.plan(operation, variables)
    const cost = bench.cost(operation, { listSize, variables })
    const facts = { fetches: fetchCount(plan), inTurn: planDepth(plan), subgraphs: subgraphsOf(plan), cost }
    if (input.json) {
      console.log(JSON.stringify({ ...facts, plan: plan.node ?? null }, null, 2))
      return 0
    }
    process.stdout.write(planText(plan))
    const fetches = `${facts.fetches} ${facts.fetches === 1 ? 'fetch' : 'fetches'}, ${facts.inTurn} in turn`
    console.log(`\n${fetches}; cost ${cost}`)
    return 0
  } finally {
    bench.close()
  }
}

function variablesOf(text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  if (text === undefined) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    value = undefined
  }
  if (!isRecord(value)) throw new Error('--variables must be a JSON object, as in \'{"id": "1"}\'')
  return value
}
