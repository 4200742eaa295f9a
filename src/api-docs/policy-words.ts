import { asksForSomething, describeAuthorization } from '../core/authorization.ts'
import type { PluginUse, Policy } from '../core/route.ts'
import { writtenDuration } from '../core/units.ts'
import type { Json } from './json.ts'

/** Security requirements of an operation: one of the schemes. Scopes that are all asked for stand with each (OpenAPI 3.1.1 section 4.8.30). */
export function securityOf({ auth, authorize }: Policy, schemes: readonly string[]): Json[] {
  if (auth === 'none') return []
  const either = schemes.map((name) => ({ [name]: [...authorize.scopes] }))
  return auth === 'optional' && !asksForSomething(authorize) ? [...either, {}] : either
}

/** What a policy asks for, and how often it may be used, in sentences. */
export function policyNotes(policy: Policy): string[] {
  return [...describeAuthorization(policy.authorize).map((need) => `Needs ${need}.`), ...limitNotes(policy)]
}

/** The rate limits of a place. */
export function limitNotes({ service, plugins }: Policy): string[] {
  const uses = [...(service?.plugins ?? []), ...plugins]
  return uses.filter(({ name }) => name === 'rateLimit').flatMap(limitsOf)
}

/** As `rateLimit` has them once they are checked. */
interface Limits {
  readonly limit?: number
  readonly window?: number | 'day' | 'month'
  readonly by?: string | readonly string[]
  readonly limits?: readonly Limits[]
}

function limitsOf({ options }: PluginUse): string[] {
  const given = options as Limits
  return (given.limits ?? [given]).map(({ limit = 0, window = 0, by = given.by ?? 'consumer' }) => {
    const time = typeof window === 'number' ? `in ${writtenDuration(window)}` : `a ${window}`
    const whose = [by].flat().map((one) => words[one] ?? `\`${one}\``)
    return `At most ${limit} ${limit === 1 ? 'request' : 'requests'} ${time} for each ${whose.join(' and ')}.`
  })
}

const words: Readonly<Record<string, string>> = {
  consumer: 'consumer',
  user: 'user',
  key: 'API key',
  ip: 'client address',
  route: 'route',
  operation: 'operation',
}
