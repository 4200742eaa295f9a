import { describeAuthorization } from '../core/authorization.ts'
import { pluginNames } from '../core/policy.ts'
import type { Row } from '../core/route.ts'
import { explainRequest, refusalWords } from '../routing/explain.ts'
import type { CommandInput } from './command.ts'
import { printTable } from './table.ts'
import { withGateway } from './validate.ts'

/** `gateway routes list`. */
export function listRoutes(input: CommandInput): Promise<number> {
  return withGateway(input, async ({ rows }) => {
    const listed = rows.map((row) => ({
      protocol: row.protocol,
      methods: methodsOf(row),
      path: row.template,
      id: row.id,
      to: row.leadsTo ?? '',
      auth: row.policy.auth,
      plugins: pluginNames(row.policy),
      needs: describeAuthorization(row.policy.authorize),
    }))
    if (input.json) console.log(JSON.stringify(listed, null, 2))
    else
      printTable(
        listed.map((row) => ({ ...row, plugins: row.plugins.join(','), needs: row.needs.join('; ') })),
      )
    return 0
  })
}

/** `gateway routes explain METHOD PATH`: exit code 0 when a route takes it, 1 when none does. */
export function explainRoute(input: CommandInput): Promise<number> {
  const [method = '', target = ''] = input.words
  if (!target.startsWith('/')) throw new Error(`a path begins with /, as in /v1/users/42, not as "${target}"`)
  return withGateway(input, async ({ table }) => {
    const asked = { method, url: target, headers: headersOf(input.values.header ?? []) }
    const { candidates: seen, taken, allowed } = explainRequest(table, asked)
    if (input.json) {
      const candidates = seen.map(({ row, refusal }) => ({
        id: row.id,
        path: row.template,
        refusal: refusal ?? null,
      }))
      const { auth = null, authorize } = taken?.policy ?? {}
      const needs = authorize === undefined ? [] : describeAuthorization(authorize)
      console.log(JSON.stringify({ taken: taken?.id ?? null, auth, needs, allowed, candidates }, null, 2))
      return taken === undefined ? 1 : 0
    }
    for (const { row, refusal } of seen) {
      if (refusal !== undefined) console.log(`- ${describe(row)}: refused, ${refusalWords[refusal]}`)
      else if (row === taken)
        console.log(
          `> ${describe(row)}: takes it (${to(row)}auth ${row.policy.auth}; ${needs(row)}${plugins(row)})`,
        )
    }
    if (taken !== undefined) return 0
    console.log(
      allowed.length > 0 ? `405: this path takes ${allowed.join(', ')}` : '404: no route matches this path',
    )
    return 1
  })
}

/** `Name: value`, as curl takes them. */
function headersOf(written: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    written.map((header) => {
      const colon = header.indexOf(':')
      return [header.slice(0, colon).trim().toLowerCase(), header.slice(colon + 1).trim()]
    }),
  )
}

function describe(row: Row): string {
  return `${row.protocol} ${methodsOf(row)} ${row.template} [${row.id}]`
}

function to(row: Row): string {
  return row.leadsTo === undefined ? '' : `to ${row.leadsTo}; `
}

/** What a caller needs besides an identity. */
function needs(row: Row): string {
  const all = describeAuthorization(row.policy.authorize)
  return all.length === 0 ? '' : `needs ${all.join(' and ')}; `
}

function plugins(row: Row): string {
  const names = pluginNames(row.policy)
  return names.length === 0 ? 'no plugins of its own' : `plugins ${names.join(', ')}`
}

function methodsOf(row: Row): string {
  return row.methods.length === 0 ? 'ANY' : row.methods.join(',')
}
