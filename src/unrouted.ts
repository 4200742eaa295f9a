import type { FrontEnd } from './core/front-end.ts'
import type { Plugin } from './core/plugin.ts'
import type { Policy, Row } from './core/route.ts'
import { refuseWithProblem } from './front-ends/rest/problem.ts'
import type { Plan } from './listener/listener.ts'
import { compileHooks } from './pipeline/plan.ts'

/** What requests meet that no row takes: the global plugins, and refusals in RFC 9457's words. */
export function unroutedPlan(shared: readonly Plugin[]): Plan {
  const policy: Policy = {
    id: 'unrouted',
    auth: 'none',
    authorize: { roles: [], scopes: [] },
    plugins: [],
    forwardCredentials: false,
  }
  const frontEnd: FrontEnd = { name: 'rest', rows: [], refuse: refuseWithProblem, close: async () => {} }
  const row: Row = {
    id: 'unrouted',
    protocol: 'rest',
    template: '',
    policy,
    methods: [],
    hosts: [],
    headers: [],
    query: [],
    priority: 0,
    encodedSlash: true,
    frontEnd,
    origin: 'the gateway',
    serve: () => {},
  }
  return { row, hooks: compileHooks(shared) }
}
