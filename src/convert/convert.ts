import { isNode, LineCounter, parseDocument, stringify } from 'yaml'
import { formatPath, type Problem } from '../config/problem.ts'
import { convertApisix } from './apisix.ts'
import type { Converted } from './draft.ts'
import { convertKong } from './kong.ts'
import { convertOpenApi } from './openapi.ts'

/** What can be converted. */
export const sources = ['kong', 'apisix', 'openapi'] as const
export type ConvertSource = (typeof sources)[number]

/** A file of somebody else. */
export interface ConvertInput {
  readonly from: ConvertSource
  /** As messages name it. */
  readonly file: string
  /** Its path from where the result will be. */
  readonly reference: string
  /** YAML or JSON. */
  readonly text: string
}

/** The `gateway.yaml` that does the same as far as that goes, and what it does not do. Throws an Error when the text is no YAML. */
export function convert({ from, file, reference, text }: ConvertInput): {
  readonly yaml: string
  readonly notes: readonly Problem[]
} {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const [mistake] = document.errors
  if (mistake !== undefined) {
    const { line, col } = lines.linePos(mistake.pos[0])
    throw new Error(`${file}:${line}:${col}: ${mistake.message}`)
  }
  const { config, notes } = converted(from, document.toJS({ maxAliasCount: 100 }), reference)
  const placed = notes.map(({ path, message }): Problem => {
    const { line, col } = lines.linePos(offsetOf(document, path))
    return { file, line, column: col, path: formatPath(path), message }
  })
  const seen = new Map(placed.map((note) => [`${note.path} ${note.message}`, note]))
  const heading = `# Made of ${file} by \`gateway convert --from ${from}\`. Look through it, then: gateway validate, gateway start.\n`
  const sorted = [...seen.values()].sort((a, b) => a.line - b.line || a.column - b.column)
  return { yaml: heading + stringify(config, { lineWidth: 0, aliasDuplicateObjects: false }), notes: sorted }
}

function converted(from: ConvertSource, data: unknown, reference: string): Converted {
  if (from === 'kong') return convertKong(data)
  return from === 'apisix' ? convertApisix(data) : convertOpenApi(data, reference)
}

/** Where the value at a path begins, or the nearest around it that is there. */
function offsetOf(document: ReturnType<typeof parseDocument>, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length--) {
    const node: unknown = document.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) return node.range[0]
  }
  return 0
}
