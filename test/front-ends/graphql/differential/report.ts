import { operationFromDocument, Supergraph } from '@apollo/federation-internals'
import { prettyFormatQueryPlan, QueryPlanner } from '@apollo/query-planner'
import { parse } from 'graphql'
import type { Smallest } from './shrink.ts'

/** A case for people: the subgraphs, the query, what was wanted and what came, the stock plan. */
export function reported({ pair, query, faults, outcome }: Smallest): string {
  const parts = pair.subgraphs.map(({ name, sdl, fetches }) => {
    const asked = fetches.map(({ query: text, variables }) => `#   asked: ${text} ${variables ?? ''}`)
    return [
      `# subgraph ${name}`,
      sdl.replace(/^extend schema[^)]*\)/, '').replaceAll(/\s+/g, ' '),
      ...asked,
    ].join('\n')
  })
  parts.push(
    `query: ${query.text}`,
    `variables: ${JSON.stringify(query.variables)} faults: ${JSON.stringify(faults)}`,
  )
  parts.push(`differences:\n  ${outcome.differences.join('\n  ')}`)
  parts.push(`want: ${outcome.expected.data} ${errorsText(outcome.expected.errors)}`)
  parts.push(`got:  ${outcome.actual.data} ${errorsText(outcome.actual.errors)}`)
  try {
    const supergraph = Supergraph.build(pair.supergraphSdl)
    const operation = operationFromDocument(supergraph.apiSchema(), parse(query.text))
    parts.push(`stock plan: ${prettyFormatQueryPlan(new QueryPlanner(supergraph).buildQueryPlan(operation))}`)
  } catch (error) {
    parts.push(`no plan: ${error}`)
  }
  return parts.join('\n')
}

function errorsText(errors: readonly { path?: unknown; message: string }[]): string {
  return errors.map(({ path, message }) => `${JSON.stringify(path)}: ${message}`).join('; ')
}
