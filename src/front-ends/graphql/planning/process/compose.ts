import { composeServices } from '@apollo/composition'
import { type DocumentNode, GraphQLError, parse, Source } from 'graphql'
import type { Composition, SubgraphSdl } from '../messages.ts'
import { namedPlaces, type ParsedSubgraph } from './named-places.ts'

/** Composes subgraphs. Throws an Error whose message has one line for each mistake: file, line, column, subgraph, text. */
export function compose(subgraphs: readonly SubgraphSdl[]): Composition {
  const parsed = subgraphs.map((subgraph) => parseSdl(subgraph))
  const unreadable = parsed.flatMap((result) => ('problem' in result ? result.problem : []))
  if (unreadable.length > 0) throw compositionError(unreadable)
  // No subgraph is reached by its `url`: fetches go to the upstream that is configured for its name.
  const read = parsed.flatMap((item) => ('typeDefs' in item ? item : []))
  const result = composeServices(read.map((item) => ({ ...item, url: `http://${item.name}.invalid/` })))
  if (result.errors !== undefined)
    throw compositionError(result.errors.map((error) => problemLine(error, { subgraphs, read })))
  const hints = result.hints.map(({ definition, message }) => ({ code: definition.code, message }))
  return { supergraphSdl: result.supergraphSdl, hints }
}

function parseSdl(subgraph: SubgraphSdl): { name: string; typeDefs: DocumentNode } | { problem: string } {
  const { name, sdl, file = name } = subgraph
  try {
    return { name, typeDefs: parse(new Source(sdl, file)) }
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error
    const { line = 1, column = 1 } = error.locations?.[0] ?? {}
    return { problem: `${file}:${line}:${column} (subgraph "${name}"): ${error.message}` }
  }
}

/** Where a composition error is: its nodes carry the name of their subgraph, and their places in its SDL. */
function problemLine(
  error: GraphQLError,
  {
    subgraphs,
    read,
  }: { readonly subgraphs: readonly SubgraphSdl[]; readonly read: readonly ParsedSubgraph[] },
): string {
  const { code } = error.extensions
  const message = `${error.message}${typeof code === 'string' ? ` [${code}]` : ''}`
  const told = (error.nodes ?? []).flatMap((node) => {
    if (!('subgraph' in node) || typeof node.subgraph !== 'string' || node.loc === undefined) return []
    const { line, column } = node.loc.startToken
    return { name: node.subgraph, line, column }
  })
  const found = told.length > 0 ? told : namedPlaces(error.message, read)
  const places = found.flatMap(({ name, line, column }) => {
    const subgraph = subgraphs.find((one) => one.name === name)
    return subgraph === undefined ? [] : `${subgraph.file ?? name}:${line}:${column} (subgraph "${name}")`
  })
  return places.length === 0 ? message : `${[...new Set(places)].join(', ')}: ${message}`
}

function compositionError(problems: readonly string[]): Error {
  const count = problems.length === 1 ? 'There is 1 mistake' : `There are ${problems.length} mistakes`
  return new Error(
    `The subgraphs do not compose. ${count}:\n${problems.map((problem) => `- ${problem}`).join('\n')}`,
  )
}
