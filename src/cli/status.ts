import { askAdmin, listAdmin } from './admin-client.ts'
import type { CommandInput } from './command.ts'
import { printTable } from './table.ts'
import { printJson, timeText } from './terminal.ts'

interface NodeInfo {
  readonly name: string
  readonly startedAt: string
  readonly seenAt: string
  readonly version: number
  readonly problem: string | null
}

/** `gateway status`: which node runs which version, and how the upstreams are. Exit code 2 when a node does not run the newest. */
export async function showStatus(input: CommandInput): Promise<number> {
  const nodes = (await listAdmin(input, '/config/nodes')) as unknown as NodeInfo[]
  const upstreams = await listAdmin(input, '/upstreams')
  const behind = nodes.some(({ problem }) => problem !== null)
  if (input.json) {
    printJson({ nodes, upstreams: upstreams.map(({ id, status }) => ({ id, ...(status as object) })) })
    return behind ? 2 : 0
  }
  if (nodes.length === 0) console.log('no node is known')
  else
    printTable(
      nodes.map(({ name, version, startedAt, seenAt, problem }) => ({
        node: name,
        version: String(version),
        'running since': timeText(startedAt),
        'last seen': timeText(seenAt),
        problem: problem ?? '',
      })),
      (column) => (column === 'problem' ? 'bad' : undefined),
    )
  if (upstreams.length > 0) {
    console.log()
    printTable(
      upstreams.flatMap(({ id, status }) =>
        targetsOf(status).map(({ url, healthy, failing, reason }) => ({
          upstream: String(id),
          target: url,
          state: healthy === false ? 'out' : failing === true ? 'failing' : 'serves',
          reason: reason ?? '',
        })),
      ),
      (column, cell) => (column === 'state' ? (cell === 'serves' ? 'good' : 'bad') : undefined),
    )
  }
  return behind ? 2 : 0
}

interface TargetStatus {
  readonly url: string
  readonly healthy?: boolean
  readonly failing?: boolean
  readonly reason?: string
}

function targetsOf(status: unknown): readonly TargetStatus[] {
  return ((status ?? {}) as { targets?: readonly TargetStatus[] }).targets ?? []
}

/** `gateway permissions`: who may call what. */
export async function showPermissions(input: CommandInput): Promise<number> {
  const all = await listAdmin(input, '/permissions')
  if (input.json) printJson(all)
  else if (all.length === 0) console.log('there is nothing to call')
  else
    printTable(
      all.map(({ id, auth, needs }) => ({
        place: String(id),
        auth: String(auth),
        needs: (needs as string[]).join('; '),
      })),
      (column, cell) => (column === 'auth' && cell === 'none' ? 'warning' : undefined),
    )
  return 0
}

/** `gateway cache purge`. */
export async function purgeCache(input: CommandInput): Promise<number> {
  const told = await askAdmin(input, { method: 'POST', path: '/cache:purge', body: {}, has: 'purged' })
  const { purged } = told as { purged: Record<string, number> }
  if (input.json) printJson(told)
  else
    for (const [cache, entries] of Object.entries(purged))
      console.log(`${cache}: ${entries} entries forgotten`)
  return 0
}
