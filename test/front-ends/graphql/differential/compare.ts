import type { GraphQLFormattedError } from 'graphql'
import type { Answer } from './servers.ts'

/** What an answer is held to. */
export interface Truth {
  readonly answer: Answer
  /** The paths of all faults, as JSON. */
  readonly faults: ReadonlySet<string>
}

/**
 * In what an answer differs from the truth; nothing when it is right.
 *
 * The data is compared as text. Errors: which of several faults under one null is reported is left to the server (GraphQL
 * specification section 6.4.4), so each fault that is reported must be one, and each null that comes of a fault must have one
 * reported for it, and none twice.
 */
export function differences({ answer: expected, faults }: Truth, actual: Answer): string[] {
  const found: string[] = []
  if (actual.data !== expected.data) found.push('data')
  const paths = actual.errors.map(({ path }) => JSON.stringify(path))
  for (const path of paths) if (!faults.has(path)) found.push(`error without a fault at ${path}`)
  if (new Set(paths).size !== paths.length) found.push('one fault is reported twice')
  const wanted = nulls(expected)
  const given = nulls({ data: expected.data, errors: actual.errors })
  for (const path of wanted) if (!given.has(path)) found.push(`no error for the null at ${path}`)
  for (const path of given) if (!wanted.has(path)) found.push(`an error for ${path}`)
  for (const error of actual.errors) {
    const same = expected.errors.find(({ path }) => JSON.stringify(path) === JSON.stringify(error.path))
    if (same !== undefined && spoken(same) !== spoken(error))
      found.push(`message "${error.message}" for "${same.message}"`)
  }
  return found
}

/** Where the nulls are that the errors made; for an error where there is no null, the error's own path. */
function nulls({ data, errors }: Answer): Set<string> {
  const root = JSON.parse(data) as unknown
  return new Set(errors.map(({ path = [] }) => JSON.stringify(nullAt(root, path) ?? { notNull: path })))
}

function nullAt(root: unknown, path: readonly (string | number)[]): readonly (string | number)[] | undefined {
  let value = root
  for (const [depth, part] of path.entries()) {
    if (value === null || value === undefined) return path.slice(0, depth)
    value = (value as Record<string | number, unknown>)[part]
  }
  return value === null || value === undefined ? path : undefined
}

/** An interface object has another name in its subgraph. */
function spoken({ message }: GraphQLFormattedError): string {
  return message.replace(/(Cannot return null for non-nullable field )\w+/, '$1T')
}
