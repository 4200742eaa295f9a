import { askAdmin } from './admin-client.ts'
import type { CommandInput } from './command.ts'
import { harmless, printJson } from './terminal.ts'

interface Row {
  readonly id: string
  readonly protocol: string
  readonly methods: readonly string[]
  readonly path: string
  readonly to: string | null
}

interface Expected {
  readonly upstream: string
  readonly by: string
  readonly among: readonly string[]
  readonly target: string | null
}

interface Explanation {
  readonly taken:
    | (Row & {
        readonly auth: string
        readonly needs: readonly string[]
        readonly plugins: readonly string[]
        readonly expected: Expected | null
      })
    | null
  readonly status: number | null
  readonly allowed: readonly string[]
  readonly candidates: readonly (Row & { readonly refusal: string | null; readonly why: string })[]
}

/** `gateway routes explain METHOD PATH`, of the configuration that runs: exit code 0 when a route takes it, 1 when none does. */
export async function explainRunning(input: CommandInput): Promise<number> {
  const [method = 'GET', url = ''] = input.words
  const headers = Object.fromEntries(
    (input.values.header ?? []).map((header) => {
      const colon = header.indexOf(':')
      return [header.slice(0, colon).trim(), header.slice(colon + 1).trim()]
    }),
  )
  const body = { method, url, headers }
  const told = await askAdmin(input, { method: 'POST', path: '/routes:explain', body, has: 'candidates' })
  const { taken, status, allowed, candidates } = told as Explanation
  if (input.json) printJson(told)
  else {
    for (const row of candidates)
      if (row.refusal !== null) console.log(harmless(`- ${nameOf(row)}: refused, ${row.why}`))
      else if (row.id === taken?.id) console.log(harmless(`> ${nameOf(row)}: takes it (${termsOf(taken)})`))
    if (taken !== null && taken.expected !== null) console.log(harmless(`  ${wordsOf(taken.expected)}`))
    if (taken === null)
      console.log(
        status === 405 ? `405: this path takes ${allowed.join(', ')}` : '404: no route matches this path',
      )
  }
  return taken === null ? 1 : 0
}

function nameOf({ protocol, methods, path, id }: Row): string {
  return `${protocol} ${methods.length === 0 ? 'ANY' : methods.join(',')} ${path} [${id}]`
}

function wordsOf({ upstream, by, among, target }: Expected): string {
  if (among.length === 0) return `no target of ${upstream} can take it now`
  if (target === null) return `a target of ${upstream}, by ${by}: ${among.join(' or ')}`
  return `next target of ${upstream}${among.length > 1 ? `, by ${by}` : ''}: ${target}`
}

function termsOf({ to, auth, needs, plugins }: NonNullable<Explanation['taken']>): string {
  const parts = [...(to === null ? [] : [`to ${to}`]), `auth ${auth}`]
  if (needs.length > 0) parts.push(`needs ${needs.join(' and ')}`)
  parts.push(plugins.length === 0 ? 'no plugins' : `plugins ${plugins.join(', ')}`)
  return parts.join('; ')
}
