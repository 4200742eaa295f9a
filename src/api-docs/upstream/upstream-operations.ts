import { isRecord } from '../../core/is-record.ts'
import { writtenSize } from '../../core/units.ts'
import { parseTemplate } from '../../routing/template.ts'
import { Book, describedPath, isKnownMethod } from '../book.ts'
import type { IsRouted } from '../document.ts'
import type { Json } from '../json.ts'
import type { DescribedRoute, Draft } from '../route-operations.ts'
import { type PathChanges, placePath } from './place-path.ts'
import type { UpstreamDocument } from './read-document.ts'
import { resolvePointer } from './resolve-pointer.ts'
import { TakeOver } from './take-over.ts'

/** Where operations of an upstream are described. */
export interface UpstreamPlace {
  readonly route: DescribedRoute
  readonly changes: PathChanges
  readonly document: UpstreamDocument
  readonly takeOver: TakeOver
  readonly book: Book
  readonly isRouted: IsRouted
}

/** The operations of an upstream's document that a route lets through, by the paths that clients ask for. */
export function upstreamOperations(place: UpstreamPlace): Draft[] {
  const { route, changes, document, takeOver, isRouted, book } = place
  const { row } = route
  const template = parseTemplate(row.template)
  const tags = tagsOf(document.root)
  return itemsOf(document).flatMap(({ path, item, at, methods }) => {
    const placed = placePath(document.basePath + path, { template, changes })
    if (placed === undefined) return []
    return methods.flatMap((method): Draft[] => {
      if (!isRouted(row, method, placed.text)) return []
      const written = takeOver.operation(item, method, at)
      const described = describedPath(placed.text)
      const operation = completed(written, { route, method, path, names: described.names })
      for (const tag of operation.tags as string[]) book.tag(tag, tags.get(tag))
      const id = typeof written.operationId === 'string' ? written.operationId : `${method}${path}`
      return [{ row, method, path: described, operation, id: `${row.id}_${id}` }]
    })
  })
}

/** Throws an Error that names the place of what in a document cannot be used. */
export function checkOperations(document: UpstreamDocument): void {
  const takeOver = new TakeOver(new Book(), document, 'check')
  for (const { item, at, methods } of itemsOf(document))
    for (const method of methods) takeOver.operation(item, method, at)
}

interface PathItem {
  readonly path: string
  readonly item: Json
  readonly at: readonly string[]
  readonly methods: readonly string[]
}

/** But for what is marked as internal, by a habit of many tools. */
function itemsOf({ root }: UpstreamDocument): PathItem[] {
  const paths = isRecord(root.paths) ? root.paths : {}
  return Object.entries(paths)
    .filter(([path]) => path.startsWith('/'))
    .flatMap(([path, written]): PathItem[] => {
      const place = ['paths', path]
      if (!isRecord(written)) throw new Error(`paths.${path}: is no object`)
      const { value: item, at } = resolvePointer(root, written, place)
      const methods = Object.keys(item).filter((key) => {
        const operation = item[key]
        return isKnownMethod(key) && !(isRecord(operation) && operation['x-internal'] === true)
      })
      return item['x-internal'] === true ? [] : [{ path, item, at, methods }]
    })
}

interface Completion {
  readonly route: DescribedRoute
  readonly method: string
  readonly path: string
  /** Of the variables of the path that clients ask for. */
  readonly names: readonly string[]
}

/** What descriptions need and documents may lack. */
function completed(written: Json, { route, method, path, names }: Completion): Json {
  const { row, tags, deprecated, bodyBytes } = route
  const { operationId: _, ...operation } = written
  const own = Array.isArray(operation.tags) && operation.tags.length > 0 ? operation.tags : [row.id]
  const given = Array.isArray(operation.parameters) ? (operation.parameters as Json[]) : []
  const parameters = given.filter(({ in: where, name }) => where !== 'path' || names.includes(String(name)))
  for (const name of names)
    if (!parameters.some((one) => one.in === 'path' && one.name === name))
      parameters.push({ name, in: 'path', required: true, schema: { type: 'string' } })
  const { parameters: __, ...rest } = operation
  const description = String(operation.description ?? operation.summary ?? `${method.toUpperCase()} ${path}`)
  const size =
    operation.requestBody !== undefined && bodyBytes !== undefined
      ? [`A body has at most ${writtenSize(bodyBytes)}.`]
      : []
  return {
    ...rest,
    tags: tags.length > 0 ? tags : [...new Set(own)],
    summary: operation.summary ?? `${method.toUpperCase()} ${path}`,
    description: [description, ...size].join('\n\n'),
    ...(deprecated && { deprecated }),
    ...(parameters.length > 0 && { parameters }),
    responses: withSuccess(operation.responses as Json),
  }
}

/** Linters want to see one; what holds for any status holds for 200. */
function withSuccess(responses: Json): Json {
  if (Object.keys(responses).some((status) => /^[23]/.test(status))) return responses
  return { '200': responses.default ?? { description: 'The answer.' }, ...responses }
}

function tagsOf({ tags }: Json): ReadonlyMap<string, Json> {
  const entries = (Array.isArray(tags) ? tags : []).flatMap((tag): [string, Json][] =>
    isRecord(tag) && typeof tag.name === 'string' && typeof tag.description === 'string'
      ? [[tag.name, { description: tag.description }]]
      : [],
  )
  return new Map(entries)
}
