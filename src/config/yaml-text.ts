import {
  type Document,
  isScalar,
  type LineCounter,
  type ParsedNode,
  parseDocument,
  visit,
  YAMLParseError,
} from 'yaml'

/**
 * A text parsed as YAML; mistakes are in its `errors`. What the parser does itself about keys that stand twice takes a time that grows with the square
 * of their number: minutes for what fits into a megabyte.
 */
export function parseYaml(
  text: string,
  options: { readonly lineCounter?: LineCounter; readonly prettyErrors?: boolean } = {},
): Document.Parsed {
  const document = parseDocument<ParsedNode>(text, { ...options, uniqueKeys: false }) as Document.Parsed
  visit(document, {
    Map: (_, map) => {
      const seen = new Set<unknown>()
      for (const { key } of map.items) {
        if (!isScalar(key)) continue
        if (seen.has(key.value)) {
          const [from = 0] = key.range ?? []
          const message = 'Map keys must be unique'
          document.errors.push(new YAMLParseError([from, from + 1], 'DUPLICATE_KEY', message))
        }
        seen.add(key.value)
      }
    },
  })
  return document
}
