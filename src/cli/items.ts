import { stringify } from 'yaml'
import { nearestWord } from '../config/nearest-word.ts'
import type { ConfigEdit, ItemKind } from '../control/change.ts'
import { isRecord } from '../core/is-record.ts'
import { printWritten } from './changes.ts'
import type { CommandInput } from './command.ts'
import { type DeskItem, openDesk } from './desk.ts'
import { consumerOf, routeOf, settingsOf, upstreamOf } from './item-values.ts'
import { printTable, type TableRow } from './table.ts'
import { printJson } from './terminal.ts'

/** `gateway routes list` and its like. */
export async function listItems(input: CommandInput, kind: ItemKind): Promise<number> {
  const items = await (await openDesk(input)).items(kind)
  if (input.json)
    printJson(items.map(({ id, value }) => ({ id, ...(isRecord(value) ? value : { options: value }) })))
  else if (items.length === 0) console.log(`there are no ${kind}`)
  else printTable(items.map((item) => rowOf(kind, item)))
  return 0
}

/** `gateway routes get ID`: as it is written. */
export async function getItem(input: CommandInput, kind: ItemKind): Promise<number> {
  const { id, value } = await find(input, kind)
  if (input.json) printJson(value)
  else console.log(stringify(kind === 'routes' || kind === 'consumers' ? value : { [id]: value }).trimEnd())
  return 0
}

/** `gateway routes add ID`, `gateway upstreams add NAME URL...` and their like. */
export async function addItem(input: CommandInput, kind: ItemKind): Promise<number> {
  const [id = '', ...urls] = input.words
  const value = givenValue(input.values, kind, { id, urls })
  return await write(input, { op: 'create', kind, id, value }).catch((error: Error) => {
    if ((error as { reason?: unknown }).reason !== 'ALREADY_EXISTS') throw error
    throw new Error(
      `there is a "${id}" in ${kind} already; gateway ${kind} set ${id} changes it, gateway ${kind} get ${id} shows it`,
    )
  })
}

/** `gateway routes set ID`: changes what the options name, and nothing else. */
export async function setItem(input: CommandInput, kind: ItemKind): Promise<number> {
  const [, ...urls] = input.words
  const known = await find(input, kind)
  const { id: _, ...value } = givenValue(input.values, kind, { id: known.id, urls, known: known.value })
  if (Object.keys(value).length === 0)
    throw new Error(`nothing to change: gateway help ${kind} set names the options`)
  return await write(input, { op: 'patch', kind, id: known.id, value })
}

/** `gateway routes remove ID`. */
export async function removeItem(input: CommandInput, kind: ItemKind): Promise<number> {
  const { id } = await find(input, kind)
  return await write(input, { op: 'delete', kind, id })
}

async function write(input: CommandInput, edit: ConfigEdit): Promise<number> {
  const desk = await openDesk(input)
  const options = { message: input.values.message, dryRun: input.values['dry-run'] === true }
  printWritten(input, await desk.write([edit], options), { place: desk.place, ...options })
  return 0
}

async function find(input: CommandInput, kind: ItemKind): Promise<DeskItem> {
  const [wanted = ''] = input.words
  const desk = await openDesk(input)
  const items = await desk.items(kind)
  const found = items.find(({ id }) => id === wanted)
  if (found !== undefined) return found
  const nearest = nearestWord(
    wanted,
    items.map(({ id }) => id),
  )
  const hint = nearest === undefined ? `gateway ${kind} list shows them` : `did you mean "${nearest}"?`
  throw new Error(`there is no "${wanted}" in ${kind} of ${desk.place}; ${hint}`)
}

function givenValue(
  values: CommandInput['values'],
  kind: ItemKind,
  { id, urls, known }: { readonly id: string; readonly urls: readonly string[]; readonly known?: unknown },
): Record<string, unknown> {
  if (kind === 'routes') return { id, ...routeOf(values, known) }
  if (kind === 'upstreams') return upstreamOf(urls, values)
  if (kind === 'consumers') return { id, ...consumerOf(values) }
  return settingsOf(values)
}

function rowOf(kind: ItemKind, { id, value }: DeskItem): TableRow {
  const item = isRecord(value) ? value : {}
  if (kind === 'routes')
    return {
      id,
      methods: words(item.methods) || 'ANY',
      path: String(item.path ?? ''),
      to: String(item.upstream ?? answers(item)),
      auth: String(item.auth ?? 'required'),
      plugins: pluginNames(item.plugins),
    }
  if (kind === 'upstreams') return { name: id, targets: targets(item), balancing: policy(item) }
  if (kind === 'consumers')
    return { id, name: String(item.name ?? ''), roles: words(item.roles), scopes: words(item.scopes) }
  return { plugin: id, options: Object.keys(item).length === 0 ? '' : JSON.stringify(item) }
}

/** How a route without an upstream answers. */
function answers(route: Readonly<Record<string, unknown>>): string {
  return (
    ['respond', 'redirect', 'aggregate', 'graphqlOperation'].find((key) => route[key] !== undefined) ?? ''
  )
}

function words(list: unknown): string {
  return Array.isArray(list) ? list.join(',') : ''
}

function pluginNames(plugins: unknown): string {
  if (!Array.isArray(plugins)) return ''
  return plugins
    .map((plugin) => (isRecord(plugin) ? (Object.keys(plugin)[0] ?? '') : String(plugin)))
    .join(',')
}

function targets({ targets, discovery }: Readonly<Record<string, unknown>>): string {
  if (Array.isArray(targets))
    return targets.map((target) => (isRecord(target) ? String(target.url) : '')).join(' ')
  return isRecord(discovery) ? `discovery: ${discovery.type}` : ''
}

function policy({ loadBalancing }: Readonly<Record<string, unknown>>): string {
  return isRecord(loadBalancing) ? String(loadBalancing.policy ?? 'roundRobin') : 'roundRobin'
}
