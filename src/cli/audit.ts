import { listAdmin } from './admin-client.ts'
import { differences } from './changes.ts'
import type { CommandInput } from './command.ts'
import { printTable } from './table.ts'
import { printJson, timeText } from './terminal.ts'

interface Entry {
  readonly at: string
  readonly actor: string
  readonly address: string
  readonly action: string
  readonly outcome: string
  readonly status: number
  readonly version: number | null
  readonly message: string | null
  readonly reason: string | null
  readonly changes: readonly { kind: string; id: string; op: string; before?: unknown; after?: unknown }[]
}

const shownAtOnce = 50
const signs: Readonly<Record<string, string>> = { create: '+', update: '~', delete: '-' }

/** `gateway audit`: who changed what, newest first. */
export async function showAudit(input: CommandInput): Promise<number> {
  const { since, name } = input.values
  const query = new URLSearchParams({
    ...(since !== undefined && { 'filter[since]': since }),
    ...(name !== undefined && { 'filter[actor]': name }),
  }).toString()
  const entries = (await listAdmin(input, '/audit', { query, most: shownAtOnce })) as unknown as Entry[]
  if (input.json) printJson(entries)
  else if (entries.length === 0) console.log('nothing was changed by the admin API')
  else
    printTable(
      entries.map(({ at, actor, address, action, outcome, version, message, reason, changes }) => ({
        when: timeText(at),
        who: actor,
        from: address,
        action,
        outcome: reason === null ? outcome : `${outcome}: ${reason}`,
        version: version === null ? '' : String(version),
        changes: changes.map(told).join('; '),
        message: message ?? '',
      })),
      (column, cell) => (column === 'outcome' && !/^(done|dryRun)$/.test(cell) ? 'bad' : undefined),
    )
  return 0
}

/** `~routes/shop plugins[0].rateLimit.limit: 100 -> 5` */
function told({ kind, id, op, before, after }: Entry['changes'][number]): string {
  const name = `${signs[op] ?? ''}${kind}/${id}`
  return op === 'update' ? [name, ...differences(before, after)].join(' ') : name
}
