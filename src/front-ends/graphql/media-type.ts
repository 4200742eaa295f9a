import { essence } from '../../core/media-type.ts'

/** The two media types of a GraphQL answer (GraphQL over HTTP, section "Media types"). */
export type AnswerType = 'application/json' | 'application/graphql-response+json'

/**
 * The media type that the client prefers for a GraphQL answer: `application/json` when it names none, undefined when it takes
 * neither. A quality of 0 excludes; the more specific range decides (RFC 9110 section 12.5.1).
 */
export function answerType(accept: string | undefined): AnswerType | undefined {
  if (accept === undefined || accept === '' || accept === '*/*') return 'application/json'
  const json = quality(accept, 'application/json')
  const graphql = quality(accept, 'application/graphql-response+json')
  if (json.q === 0 && graphql.q === 0) return undefined
  if (json.q !== graphql.q)
    return json.q > graphql.q ? 'application/json' : 'application/graphql-response+json'
  // Equal by quality: the one that was named, and the first of two that were.
  return graphql.specific && (!json.specific || graphql.at < json.at)
    ? 'application/graphql-response+json'
    : 'application/json'
}

/** Whether the client takes a media type, by name or by a range; or, of `Accept-Encoding`, a coding by its name. */
export function accepts(accept: string | undefined, type: string): boolean {
  return accept === undefined || quality(accept, type).q > 0
}

/** The weight of one item of an `Accept`, from 0 to 1 (RFC 9110 section 12.4.2). */
export function weightOf(item: string): number {
  const q = /;\s*q=([\d.]+)/i.exec(item)?.[1]
  return q === undefined ? 1 : Number(q) || 0
}

interface Quality {
  readonly q: number
  readonly at: number
  readonly specific: boolean
}

function quality(accept: string, type: string): Quality {
  const ranges = [type, `${type.split('/', 1)[0]}/*`, '*/*']
  let best: Quality = { q: 0, at: 0, specific: false }
  let bestRank = ranges.length
  for (const [at, item] of accept.split(',', 32).entries()) {
    const rank = ranges.indexOf(essence(item))
    if (rank === -1 || rank >= bestRank) continue
    best = { q: weightOf(item), at, specific: rank === 0 }
    bestRank = rank
  }
  return best
}
