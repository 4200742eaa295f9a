import { GatewayError } from '../../core/error.ts'
import type { Verdict } from './decision.ts'
import type { Share } from './limit.ts'

/** `RateLimit-Policy` and `RateLimit` of a request, flat as replies hold them. */
export function headersOf(
  shares: readonly Share[],
  standings: readonly Verdict[],
): [string, string, string, string] {
  let policy = ''
  let left = ''
  for (let i = 0; i < shares.length; i++) {
    const { quota, limit } = shares[i] as Share
    const { remaining, waitMicros } = standings[i] as Verdict
    const comma = i === 0 ? '' : ', '
    policy += comma + quota.policyItem
    left += `${comma}"${limit.name}";r=${remaining};t=${Math.ceil(waitMicros / 1_000_000)}`
  }
  return ['RateLimit-Policy', policy, 'RateLimit', left]
}

/** The refusal by the limit that takes longest; undefined when all let the request pass. */
export function refusalOf(shares: readonly Share[], standings: readonly Verdict[]): GatewayError | undefined {
  let refusal: Share | undefined
  let retryMicros = 0
  for (let i = 0; i < shares.length; i++) {
    const standing = standings[i] as Verdict
    if (standing.admits || standing.retryMicros < retryMicros) continue
    refusal = shares[i] as Share
    retryMicros = standing.retryMicros
  }
  if (refusal === undefined) return undefined
  const { limit, quota, cost, price = cost } = refusal
  const units = limit.inCost ? 'units of cost' : 'requests'
  const [reason, what] =
    quota.period === undefined
      ? (['RATE_LIMITED', `rate limit "${limit.name}" of ${quota.limit} ${units}`] as const)
      : (['QUOTA_EXCEEDED', `quota "${limit.name}" of ${quota.limit} ${units} a ${quota.period}`] as const)
  if (retryMicros === Number.POSITIVE_INFINITY) {
    const message = `The request costs ${price}, which is more than the ${what} ever has at once.`
    return new GatewayError(reason, message)
  }
  return new GatewayError(reason, `The ${what} is used up.`, { retryAfterMs: Math.ceil(retryMicros / 1_000) })
}
