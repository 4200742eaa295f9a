import type { Exchange, RequestHead } from './exchange.ts'

/** Takes a parameter out of the query of a request: nobody sees it from then on. Returns its values, decoded as forms are. */
export function takeQuery(x: Exchange, name: string): string[] {
  const taken: string[] = []
  const kept = x.request.query.split('&').filter((pair) => {
    const [key, value] = [...new URLSearchParams(pair)][0] ?? []
    if (key !== name || value === undefined) return true
    taken.push(value)
    return false
  })
  if (taken.length === 0) return taken
  const shown: { request: RequestHead } = x
  shown.request = { ...x.request, query: kept.join('&') }
  return taken
}
