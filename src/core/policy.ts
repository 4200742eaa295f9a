import { asksForSomething } from './authorization.ts'
import type { Policy, Row } from './route.ts'

/** The policy of what the gateway itself answers, to everybody: no place in the configuration says anything of it. */
export function openPolicy(id: string, plugins: Policy['plugins'] = []): Policy {
  return { id, auth: 'none', authorize: { roles: [], scopes: [] }, plugins, forwardCredentials: false }
}

/** The plugins of a place in run order, those of the service around it first. */
export function pluginNames({ service, plugins }: Policy): string[] {
  return [...(service?.plugins ?? []), ...plugins].map(({ name }) => name)
}

/** The ids of the rows that answer people who are not known, each once. */
export function openRows(rows: readonly Row[]): string[] {
  const open = rows.filter(
    ({ policy: { auth, authorize } }) => auth !== 'required' && !asksForSomething(authorize),
  )
  return [...new Set(open.map(({ id }) => id))]
}
