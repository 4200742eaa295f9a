import type { ConfigEdit, ItemKind } from '../control/change.ts'
import { isRecord } from '../core/is-record.ts'
import { type AdminAsk, adminUrl, askAdmin, listAdmin } from './admin-client.ts'
import type { CommandInput } from './command.ts'
import type { Desk, DeskItem, DeskOptions, DeskWritten } from './desk.ts'

/** The configuration of a running gateway, through its admin API. */
export function adminDesk(input: CommandInput): Desk {
  return {
    place: adminUrl(input),
    async items(kind): Promise<DeskItem[]> {
      const items = await listAdmin(input, `/${kind}`)
      return items.map((item) => ({ id: String(item.id), value: writtenValue(kind, item) }))
    },
    async write(edits, options): Promise<DeskWritten> {
      const [edit] = edits
      const ask = edits.length === 1 && edit !== undefined ? askOf(edit) : batchOf(edits)
      return (await askAdmin(input, {
        ...ask,
        path: withOptions(ask.path, options),
        has: 'changes',
      })) as DeskWritten
    },
  }
}

/** Without what is not written there: its name, and how it is doing. */
function writtenValue(kind: ItemKind, item: Readonly<Record<string, unknown>>): unknown {
  if (kind === 'plugins') return item.options
  const { id, status: _, ...value } = item
  return kind === 'routes' || kind === 'consumers' ? { id, ...value } : value
}

type Ask = Omit<AdminAsk, 'has'>

function askOf(edit: ConfigEdit): Ask {
  if (edit.op === 'merge') return { method: 'PATCH', path: '/config', text: JSON.stringify(edit.value) }
  if (edit.op === 'replace') return { method: 'PUT', path: '/config', text: edit.text }
  const path = `/${edit.kind}/${encodeURIComponent(edit.id)}`
  if (edit.op === 'delete') return { method: 'DELETE', path }
  const body = sentOf(edit)
  if (edit.op === 'patch') return { method: 'PATCH', path, body }
  if (edit.op === 'put') return { method: 'PUT', path, body }
  const query = edit.before === undefined ? '' : `?before=${encodeURIComponent(edit.before)}`
  return { method: 'POST', path: `/${edit.kind}${query}`, body: { id: edit.id, ...body } }
}

function sentOf({
  kind,
  value,
}: {
  readonly kind: ItemKind
  readonly value: unknown
}): Readonly<Record<string, unknown>> {
  if (kind === 'plugins') return { options: value ?? {} }
  return isRecord(value) ? value : {}
}

function batchOf(operations: readonly ConfigEdit[]): Ask {
  return { method: 'POST', path: '/batch', body: { operations } }
}

/** `?dryRun=true&message=why`. */
export function withOptions(path: string, { message, dryRun }: DeskOptions): string {
  const query = new URLSearchParams({
    ...(dryRun && { dryRun: 'true' }),
    ...(message !== undefined && { message }),
  })
  if (query.size === 0) return path
  return `${path}${path.includes('?') ? '&' : '?'}${query}`
}
