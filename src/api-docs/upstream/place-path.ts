import type { Template } from '../../routing/template.ts'

/** How a route changes the path on its way to the upstream. */
export interface PathChanges {
  readonly stripPrefix?: string | undefined
  readonly path?: string | undefined
  readonly prefix?: string | undefined
}

/** A path of an upstream's document as clients of a route ask for it. */
export interface PlacedPath {
  /** As OpenAPI writes it. */
  readonly text: string
  /** What variables of the document's path are called in it. Those that are not here have one value, which is written out. */
  readonly names: ReadonlyMap<string, string>
}

/**
 * Where clients find a path of the upstream (base path included), once the changes of the route are undone; undefined: by no path that its
 * template takes.
 */
export function placePath(
  upstreamPath: string,
  { template, changes }: { readonly template: Template; readonly changes: PathChanges },
): PlacedPath | undefined {
  const segments = segmentsOf(upstreamPath)
  const end = upstreamPath.length > 1 && upstreamPath.endsWith('/') ? '/' : ''
  if (changes.path !== undefined) return fromFixed(segments, template, (changes.prefix ?? '') + changes.path)
  const prefix = segmentsOf(changes.prefix ?? '')
  if (!beginsWith(segments, prefix)) return undefined
  const rest = segments.slice(prefix.length)
  const strip = segmentsOf(changes.stripPrefix ?? '')
  const candidates = strip.length === 0 ? [rest] : [[...strip, ...rest], rest]
  for (const candidate of candidates) {
    // What begins with the prefix would lose it on its way.
    if (candidate === rest && strip.length > 0 && beginsWith(rest, strip)) continue
    const found = fitted(candidate, template.segments.map(patternOf), template.verb)
    if (found !== undefined)
      return placed(
        found.map(({ text }) => text),
        end,
      )
  }
  return undefined
}

/** What one segment of a path may be: this text, any one, any number. */
type Pattern = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'one' | 'many' }

function patternOf(segment: Template['segments'][number]): Pattern {
  if (segment.kind === 'literal') return { kind: 'text', text: segment.text }
  return { kind: segment.kind === 'star' ? 'one' : 'many' }
}

interface Fitted {
  readonly text: string
  /** The pattern that it fits. */
  readonly pattern: number
}

/** A path in the most particular form that both its own segments and the patterns allow. */
function fitted(
  segments: readonly string[],
  patterns: readonly Pattern[],
  verb: string,
): Fitted[] | undefined {
  const many = patterns.findIndex(({ kind }) => kind === 'many')
  const more = segments.length - patterns.length
  if (many === -1 ? more !== 0 : more < -1) return undefined
  const made: Fitted[] = []
  for (const [index, segment] of segments.entries()) {
    const at = many === -1 || index < many ? index : index <= many + more ? many : index - more
    const pattern = patterns[at]
    const isLast = index === segments.length - 1
    if (isLast && verb !== '' && !segment.endsWith(`:${verb}`)) return undefined
    const own = isLast && verb !== '' ? segment.slice(0, -verb.length - 1) : segment
    const text = pattern === undefined ? undefined : common(own, pattern)
    if (text === undefined) return undefined
    made.push({ text: isLast && verb !== '' ? `${text}:${verb}` : text, pattern: at })
  }
  return made
}

function common(segment: string, pattern: Pattern): string | undefined {
  if (pattern.kind !== 'text') return segment
  if (segment === pattern.text || /^\{[^{}]*\}$/.test(segment)) return pattern.text
  return !segment.includes('{') && encodeURI(segment) === pattern.text ? pattern.text : undefined
}

/** A route that asks for another path instead: its variables stand for what they stand for there. */
function fromFixed(segments: readonly string[], template: Template, text: string): PlacedPath | undefined {
  const written = segmentsOf(text)
  const variables = written.map((one) =>
    template.variables.find(({ path }) => one === `\${path.${path.join('.')}}`),
  )
  const patterns = written.map((one, index): Pattern => {
    const variable = variables[index]
    if (variable === undefined) return one.includes('${') ? { kind: 'one' } : { kind: 'text', text: one }
    const isOpen = template.segments
      .slice(variable.start, variable.end)
      .some(({ kind }) => kind === 'doubleStar')
    return { kind: isOpen || variable.multi ? 'many' : 'one' }
  })
  if (patterns.filter(({ kind }) => kind === 'many').length > 1) return undefined
  const found = fitted(segments, patterns, '')
  if (found === undefined) return undefined
  const own = template.segments.flatMap((segment, index): string[] => {
    const variable = template.variables.find(({ start, end }) => start <= index && index < end)
    if (variable === undefined) return [segment.kind === 'literal' ? segment.text : '{segment}']
    if (index !== variable.start) return []
    const at = variables.indexOf(variable)
    const name = `{${variable.path.join('_')}}`
    return at === -1 ? [name] : found.filter(({ pattern }) => pattern === at).map((one) => one.text)
  })
  const verb = template.verb === '' ? '' : `:${template.verb}`
  return placed(own, verb)
}

function placed(segments: readonly string[], end: string): PlacedPath {
  const text = `/${segments.join('/')}${segments.length === 0 && end === '/' ? '' : end}`
  return { text, names: new Map([...text.matchAll(/\{([^{}]*)\}/g)].map(([, name = '']) => [name, name])) }
}

function segmentsOf(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '')
}

function beginsWith(segments: readonly string[], start: readonly string[]): boolean {
  return start.every((segment, index) => segments[index] === segment)
}
