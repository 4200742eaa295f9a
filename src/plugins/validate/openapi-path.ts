/** A path of an OpenAPI document, in segments. */
export interface PathTemplate {
  /** A text stands for itself, a list for parts with variables between them: `["report-", {name: "id"}, ".csv"]`. */
  readonly segments: readonly (string | readonly (string | Variable)[])[]
}

interface Variable {
  readonly name: string
}

/** Reads `/users/{id}`. */
export function pathTemplate(text: string): PathTemplate {
  const segments = text.slice(1).split('/')
  return {
    segments: segments.map((segment) => {
      const parts = segment.split(/(\{[^{}]*\})/).filter((part) => part !== '')
      if (!parts.some((part) => part.startsWith('{'))) return segment
      return parts.map((part) => (part.startsWith('{') ? { name: part.slice(1, -1) } : part))
    }),
  }
}

/** Those that a canonical path fits, the most concrete first (OpenAPI 3.1.1 section 4.8.8.2). */
export function matchingPaths<T extends PathTemplate>(path: string, all: readonly T[]): readonly T[] {
  const segments = path.slice(1).split('/')
  const found = all.filter((one) => valuesOf(one, segments) !== undefined)
  return found.length < 2 ? found : [...found].sort((a, b) => (rank(a) < rank(b) ? -1 : 1))
}

/** The variables of a path by name, still encoded; undefined when it does not fit. */
export function pathValues(template: PathTemplate, path: string): Record<string, string> | undefined {
  return valuesOf(template, path.slice(1).split('/'))
}

function valuesOf(
  { segments: templates }: PathTemplate,
  segments: readonly string[],
): Record<string, string> | undefined {
  if (templates.length !== segments.length) return undefined
  const values: Record<string, string> = Object.create(null)
  for (const [i, template] of templates.entries()) {
    const segment = segments[i] ?? ''
    if (typeof template === 'string') {
      if (segment !== template && decoded(segment) !== template) return undefined
    } else if (!read(template, segment, values)) return undefined
  }
  return values
}

/** Each variable takes as little as it can, and at least one character. */
function read(
  parts: readonly (string | Variable)[],
  segment: string,
  values: Record<string, string>,
): boolean {
  let at = 0
  for (const [i, part] of parts.entries()) {
    if (typeof part === 'string') {
      if (!segment.startsWith(part, at)) return false
      at += part.length
      continue
    }
    const next = parts[i + 1]
    const end =
      next === undefined
        ? segment.length
        : i + 2 === parts.length
          ? segment.length - String(next).length
          : segment.indexOf(String(next), at + 1)
    if (end <= at) return false
    values[part.name] = segment.slice(at, end)
    at = end
  }
  return at === segment.length
}

/** Sorts literal segments before those with variables, from the left. */
function rank({ segments }: PathTemplate): string {
  return segments.map((segment) => (typeof segment === 'string' ? '0' : '1')).join('')
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
