import {
  type Document,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type LineCounter,
  parseDocument,
  YAMLParseError,
} from 'yaml'

/**
 * A YAML (or JSON) document with its errors; `lines` learns where its lines begin. Keys that stand twice are looked for here, once the rest is sound:
 * the parser would compare each key with all before it, which takes seconds where there are ten thousand.
 */
export function parseYaml(text: string, lines: LineCounter): Document.Parsed {
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false })
  if (document.errors.length === 0) noteRepeatedKeys(document.contents, document.errors)
  return document
}

function noteRepeatedKeys(node: unknown, errors: YAMLParseError[]): void {
  if (isSeq(node)) for (const item of node.items) noteRepeatedKeys(item, errors)
  // In a list in flow style, `a: 1` is a map without braces.
  else if (isPair(node)) noteRepeatedKeys(node.value, errors)
  else if (isMap(node)) {
    const keys = new Set<unknown>()
    for (const { key, value } of node.items) {
      if (isScalar(key)) {
        const [start = 0] = key.range ?? []
        if (keys.has(key.value))
          errors.push(new YAMLParseError([start, start + 1], 'DUPLICATE_KEY', 'Map keys must be unique'))
        keys.add(key.value)
      }
      noteRepeatedKeys(value, errors)
    }
  }
}
