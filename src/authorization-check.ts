import { randomUUID } from 'node:crypto'
import { asksForSomething, describeAuthorization } from './core/authorization.ts'
import { GatewayError, toGatewayError } from './core/error.ts'
import { Exchange, type RequestHead } from './core/exchange.ts'
import { pluginNames } from './core/policy.ts'
import type { Principal } from './core/principal.ts'
import type { Authorization, Row } from './core/route.ts'
import type { Place } from './core/text-template.ts'
import type { CheckAnswer, CheckStep } from './front-ends/auth/check-endpoint.ts'
import type { CheckCaller, CheckQuestion } from './front-ends/auth/check-question.ts'
import { findPlan } from './listener/find-plan.ts'
import type { Plan } from './listener/listener.ts'
import { type ReadHead, splitTarget } from './listener/request-head.ts'
import { compileAuthorization } from './plugins/identity/authorize.ts'
import type { Identity } from './plugins/identity/identity.ts'
import { compileAdmission } from './plugins/identity/identity-plugin.ts'
import { canonicalPath } from './routing/canonical-path.ts'
import type { RoutingTable } from './routing/table.ts'

/** Plugins that only tell, or change what is sent. */
const neverRefusing: ReadonlySet<string> = new Set([
  'requestId',
  'accessLog',
  'metrics',
  'headers',
  'compression',
  'securityHeaders',
])

/** What decides about the requests of a configuration. */
export interface Decider {
  readonly table: RoutingTable<Plan>
  readonly identity: Identity
  /** The headers that keys and tokens come in, lower case. */
  readonly apiKeyHeader: string
  readonly tokenHeader: string
  /** Plugins of every place. */
  readonly shared: readonly string[]
  placeOf(row: Row): Place
}

/** Decides about a request as if it came, by what decides about those that come: the table, identity, the policy of the row. */
export async function checkRequest(
  asker: Exchange,
  question: CheckQuestion,
  decider: Decider,
): Promise<CheckAnswer> {
  let found: Found
  try {
    found = find(asker, question, decider)
  } catch (thrown) {
    const error = toGatewayError(thrown)
    const step: CheckStep = { check: 'route', passed: false, why: error.message }
    return { ...refused(error), route: null, principal: null, checks: [step], notChecked: [] }
  }
  const { row, x } = found
  const { id, protocol, template: path, policy } = row
  const route = { id, protocol, path, auth: policy.auth }
  const names = new Set([...decider.shared, ...pluginNames(policy)])
  const notChecked = [...names.difference(neverRefusing)]
  const taken: CheckStep = { check: 'route', passed: true, why: `${id} takes it` }
  if (policy.auth === 'none') return { ...allowed, route, principal: null, checks: [taken], notChecked }
  let principal: Principal | undefined
  try {
    principal = await callerOf(asker, x, { caller: question.caller, identity: decider.identity })
    compileAdmission(decider.identity, policy, { place: decider.placeOf(row) })(x, principal)
    const checks = [taken, ...steps(x, { row, principal, decider })]
    return { ...allowed, route, principal: shown(principal), checks, notChecked }
  } catch (thrown) {
    const error = toGatewayError(thrown)
    const unknown: CheckStep = { check: 'identity', passed: false, why: error.message }
    const checks = principal === undefined ? [unknown] : steps(x, { row, principal, decider })
    return { ...refused(error), route, principal: shown(principal), checks: [taken, ...checks], notChecked }
  }
}

interface Found {
  readonly row: Row
  readonly x: CheckedExchange
}

/** Throws the refusal that the request would meet before a row takes it. */
function find(asker: Exchange, question: CheckQuestion, decider: Decider): Found {
  const { table } = decider
  const { method, url, host, caller } = question
  const target = splitTarget(url)
  const path = canonicalPath(target.path)
  const named = target.host ?? host ?? asker.request.host
  const request: RequestHead = {
    ...asker.request,
    // Who asks about somebody else must not be taken for him.
    clientCertificate: caller.kind === 'self' ? asker.request.clientCertificate : undefined,
    // Credentials of others that are not valid must not count as failures of whoever asks.
    clientAddress: caller.kind === 'credentials' ? randomUUID() : asker.request.clientAddress,
    method,
    path: path.path,
    query: target.query,
    host: named,
    headers: { ...question.headers, ...credentialsOf(asker, caller, decider), host: named },
  }
  const head: ReadHead = { request, path }
  // The listener takes neither, whatever the routes say.
  const never = method === 'TRACE' || method === 'CONNECT'
  const plan = never
    ? new GatewayError('METHOD_NOT_ALLOWED', `${method} is not taken.`)
    : findPlan(table, head)
  if (plan === undefined) throw new GatewayError('ROUTE_NOT_FOUND', 'No route matches this path.')
  if (plan instanceof GatewayError) throw plan
  return { row: plan.row, x: new CheckedExchange(head, plan) }
}

/** A request that is only thought of. */
class CheckedExchange extends Exchange {
  /** What variables of the path are cut from, as in an exchange that came. */
  readonly segments: readonly string[]
  override readonly committed = false
  override readonly hasBody = false

  constructor({ request, path }: ReadHead, { row, hooks }: Plan) {
    super(request, row, hooks)
    this.segments = path.segments
  }

  override answer(): void {}

  override async body(): Promise<Buffer> {
    return Buffer.alloc(0)
  }
}

/** Rejects with the refusal of credentials that are not valid. */
async function callerOf(
  asker: Exchange,
  x: CheckedExchange,
  { caller, identity }: { readonly caller: CheckCaller; readonly identity: Identity },
): Promise<Principal | undefined> {
  if (caller.kind === 'self') return asker.principal
  if (caller.kind === 'described') return caller.principal ?? undefined
  return await identity.identify(x)
}

/** The headers that prove who the caller is: routes may be chosen by them. */
function credentialsOf(
  asker: Exchange,
  caller: CheckCaller,
  { apiKeyHeader, tokenHeader }: Decider,
): RequestHead['headers'] {
  if (caller.kind === 'described') return {}
  const sent = {
    [apiKeyHeader]: caller.kind === 'self' ? asker.header(apiKeyHeader) : caller.apiKey,
    [tokenHeader]: caller.kind === 'self' ? asker.header(tokenHeader) : tokenIn(tokenHeader, caller.token),
  }
  return Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== undefined))
}

/** As it stands in that header: only in `Authorization` there is a scheme before it. */
function tokenIn(header: string, token: string | undefined): string | undefined {
  return token === undefined || header !== 'authorization' ? token : `Bearer ${token}`
}

interface Decided {
  readonly row: Row
  readonly principal: Principal | undefined
  readonly decider: Decider
}

/** Each thing that the policy asks for, by itself. */
function steps(x: CheckedExchange, { row, principal, decider }: Decided): CheckStep[] {
  const { authorize } = row.policy
  if (principal === undefined) return [{ check: 'identity', passed: true, why: 'none is needed' }]
  const identity: CheckStep = { check: 'identity', passed: true, why: `is known by ${principal.via}` }
  const place = decider.placeOf(row)
  const asked = kinds.flatMap((check): CheckStep[] => {
    const one: Authorization = { roles: [], scopes: [], [check]: authorize[check] ?? [] }
    if (!asksForSomething(one)) return []
    const refusal = compileAuthorization(one, place)(principal, x)
    const needs = describeAuthorization(one).join(', ')
    return [{ check, passed: refusal === undefined, why: `needs ${needs}` }]
  })
  return [identity, ...asked]
}

const kinds = ['consumers', 'roles', 'scopes', 'anyScope', 'claims'] as const

const allowed = { allowed: true, reason: null, status: null, message: null }

function refused({ reason, status, message }: GatewayError): Pick<CheckAnswer, keyof typeof allowed> {
  return { allowed: false, reason, status, message }
}

/** Without what a token says beside. */
function shown(principal: Principal | undefined): CheckAnswer['principal'] {
  if (principal === undefined) return null
  const { claims: _, tokenDigest: __, ...rest } = principal
  return rest
}
