import type { Exchange } from '../../core/exchange.ts'

/** The parameters of a query, decoded; lists of those that are there more than once. */
export function queryParameters(query: string): Record<string, unknown> {
  const found: Record<string, unknown> = Object.create(null)
  for (const [name, value] of new URLSearchParams(query)) {
    const before = found[name]
    if (before === undefined) found[name] = value
    else if (Array.isArray(before)) before.push(value)
    else found[name] = [before, value]
  }
  return found
}

/** The request's headers under their lower-case names; without credentials, which identity looks at. */
export function headerParameters(x: Exchange): Record<string, unknown> {
  return { ...x.request.headers }
}
