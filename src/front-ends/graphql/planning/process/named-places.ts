import type { DocumentNode } from 'graphql'

/** A subgraph whose SDL parses. */
export interface ParsedSubgraph {
  readonly name: string
  readonly typeDefs: DocumentNode
}

/**
 * Where an error that carries no nodes has its cause: it names a type or a field (`"User.name"`), and the subgraphs that have it. Empty: it names
 * nothing that is there.
 */
export function namedPlaces(
  message: string,
  parsed: readonly ParsedSubgraph[],
): { readonly name: string; readonly line: number; readonly column: number }[] {
  const quoted = [...message.matchAll(/"([^"]+)"/g)].map(([, text = '']) => text)
  const [, type, field] =
    quoted.map((text) => /^(\w+)(?:\.(\w+))?(?:\(.*\))?$/.exec(text)).find((match) => match) ?? []
  if (type === undefined) return []
  return parsed
    .filter(({ name }) => quoted.includes(name))
    .flatMap(({ name, typeDefs }) =>
      typeDefs.definitions.flatMap((definition) => {
        if (!('name' in definition) || definition.name?.value !== type) return []
        const fields = 'fields' in definition ? definition.fields : undefined
        const node = field === undefined ? definition : fields?.find((one) => one.name.value === field)
        const start = node?.loc?.startToken
        return start === undefined ? [] : [{ name, line: start.line, column: start.column }]
      }),
    )
}
