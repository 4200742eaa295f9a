import type { Template } from './template.ts'

/** A template as OpenAPI writes it: every variable segment has a name of its own. */
export interface OpenApiPath {
  /** `/v1/shelves/{shelf}/books/{book}:move`. */
  readonly text: string
  /** The same without names: paths of one shape are one path to OpenAPI, whatever their variables are called. */
  readonly shape: string
  /** One for each variable segment, from left to right. */
  readonly parameters: readonly PathParameter[]
}

export interface PathParameter {
  readonly name: string
  /** Which variable of the template it belongs to; undefined for a `*` outside of all variables. */
  readonly variable: number | undefined
  /** Whether the variable is this segment and nothing else. */
  readonly whole: boolean
  /** Whether it stands for any number of segments (`**`). */
  readonly open: boolean
}

/**
 * A path template in OpenAPI's words. A variable of one segment keeps its name (`{book.name}` becomes `{book_name}`: linters know no
 * dots there); the segments of a longer one are named after the collection before them (`{name=shelves/*}` becomes
 * `shelves/{shelf}`). `names` are those of a path of the same shape, when there is one.
 */
export function openApiPath({ segments, variables, verb }: Template, names?: readonly string[]): OpenApiPath {
  const parameters: PathParameter[] = []
  const parts = segments.map((segment, index) => {
    if (segment.kind === 'literal') return segment.text
    const variable = variables.findIndex(({ start, end }) => start <= index && index < end)
    const { path, start, end } = variables[variable] ?? { path: ['segment'], start: index, end: index }
    const whole = end - start === 1
    const open = segment.kind === 'doubleStar'
    const before = segments[index - 1]
    const collection = before?.kind === 'literal' && start < index ? before.text : ''
    const wish = whole
      ? path.join('_')
      : open
        ? `${path.join('_')}_rest`
        : singular(collection) || path.join('_')
    const name = names?.[parameters.length] ?? unused(wish, parameters)
    parameters.push({ name, variable: variable === -1 ? undefined : variable, whole, open })
    return `{${name}}`
  })
  const suffix = verb === '' ? '' : `:${verb}`
  const text = `/${parts.join('/')}${suffix}`
  return { text, shape: text.replace(/\{[^}]*\}/g, '{}'), parameters }
}

function unused(wish: string, taken: readonly PathParameter[]): string {
  let name = wish
  for (let number = 2; taken.some((one) => one.name === name); number++) name = `${wish}_${number}`
  return name
}

/** The usual plurals of collections (AIP-122): shelves, entries, addresses, databases, books. Only for names that people read. */
function singular(plural: string): string {
  const word = plural.replace(/[^A-Za-z0-9_-]/g, '')
  if (/ies$/.test(word)) return word.replace(/ies$/, 'y')
  if (/lves$/.test(word)) return word.replace(/ves$/, 'f')
  if (/(?:ss|x|ch|sh)es$/.test(word)) return word.replace(/es$/, '')
  return /[^sui]s$/.test(word) ? word.slice(0, -1) : word
}
