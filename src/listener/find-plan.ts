import { GatewayError } from '../core/error.ts'
import type { MatchQuery, RoutingTable } from '../routing/table.ts'
import type { Plan } from './listener.ts'
import { otherReadings } from './other-readings.ts'
import type { ReadHead } from './request-head.ts'

/**
 * What takes a request: a plan; a refusal, where the path is that of a row and yet no row takes it (PATH_REFUSED, METHOD_NOT_ALLOWED);
 * undefined where no row has such a path.
 */
export function findPlan(table: RoutingTable<Plan>, head: ReadHead): Plan | GatewayError | undefined {
  const { method, host, headers, query } = head.request
  const ask: MatchQuery = {
    method: preflightMethod(head) ?? method,
    segments: head.path.matchSegments,
    encodedSlash: head.path.encodedSlash,
    host,
    headers,
    query,
  }
  const plan = table.match(ask) ?? (ask.method === method ? undefined : table.match({ ...ask, method }))
  if (plan === undefined) {
    const allowed = table.allowedMethods(ask)
    if (allowed.length === 0) return undefined
    const allow = allowed.join(', ')
    return new GatewayError('METHOD_NOT_ALLOWED', `This path takes ${allow}.`, { headers: ['Allow', allow] })
  }
  if (
    head.path.path.includes('%') &&
    isAmbiguous(head, plan, (segments) => table.match({ ...ask, segments }))
  )
    return new GatewayError('PATH_REFUSED', 'The path could be read as that of another route.')
  return plan
}

/**
 * Whether a backend that reads the path more freely than we do would take it for one that another route answers, or none: `/v1/%2561dmin`
 * for `/v1/admin`. A route that accepts `%2F` has asked for such segments, so that only another route counts.
 */
function isAmbiguous(
  { path }: ReadHead,
  plan: Plan,
  match: (segments: readonly string[]) => Plan | undefined,
): boolean {
  // The other protocols do not forward the path.
  if (plan.row.protocol !== 'rest') return false
  const readings = otherReadings(path.path, path.matchSegments)
  if (readings === undefined) return true
  return readings.some((segments) => {
    const other = match(segments)
    return other !== plan && (other !== undefined || !plan.row.encodedSlash)
  })
}

/** A CORS preflight (Fetch standard, section 4.8) is a question about the row of another method. */
function preflightMethod(head: ReadHead): string | undefined {
  if (head.request.method !== 'OPTIONS' || head.request.headers.origin === undefined) return undefined
  const asked = head.request.headers['access-control-request-method']
  return typeof asked === 'string' ? asked : undefined
}
