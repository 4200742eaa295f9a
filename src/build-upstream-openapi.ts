import type { Book } from './api-docs/book.ts'
import type { Describer } from './api-docs/document.ts'
import { type DescribedRoute, routeOperations } from './api-docs/route-operations.ts'
import { readDocument, type UpstreamDocument } from './api-docs/upstream/read-document.ts'
import { TakeOver } from './api-docs/upstream/take-over.ts'
import { checkOperations, upstreamOperations } from './api-docs/upstream/upstream-operations.ts'
import { askForDocument } from './ask-for-document.ts'
import type { Build } from './build.ts'
import type { UpstreamOpenapiConfig } from './config/api-docs-keys.ts'
import type { RouteConfig } from './config/schema.ts'
import { messageOf } from './core/message-of.ts'
import { type KnownText, PolledText } from './core/polled-text.ts'
import { Destination } from './traffic/destination.ts'

/** The documents of all upstreams that have one. */
export interface UpstreamDocuments {
  /** What describes a route: the document of its upstream as far as it is known, else its configuration. */
  describer(described: DescribedRoute, route: RouteConfig): Describer
  /** Another number when one has changed. */
  revision(): number
  /** How it is with those that upstreams are asked for. */
  status(): readonly DocumentStatus[]
}

export interface DocumentStatus {
  readonly upstream: string
  /** Why it could not be had, or used, the last time; undefined: it could. */
  readonly trouble: string | undefined
}

/** Reads the documents that are files, and asks for the others from now on. Throws a ConfigError that names what in a file cannot be used. */
export function upstreamDocuments(build: Build): UpstreamDocuments {
  let revision = 0
  const sources = new Map<string, Source>()
  for (const [name, { openapi }] of Object.entries(build.config.upstreams)) {
    if (openapi === undefined) continue
    const { file } = openapi
    const source =
      file === undefined
        ? polled(build, name, { config: openapi, onNew: () => revision++ })
        : read(build, name, openapi)
    sources.set(name, source)
  }
  return {
    revision: () => revision,
    status: () =>
      [...sources].flatMap(([upstream, { trouble }]) =>
        trouble === undefined ? [] : [{ upstream, trouble: trouble() }],
      ),
    describer: (route, { upstream = '', rewrite: changes }) => {
      const source = sources.get(upstream)
      return (book, isRouted) => {
        const document = source?.document()
        if (source === undefined || document === undefined) return routeOperations(route)
        const takeOver = source.takeOver(book, document)
        const found = upstreamOperations({ route, changes, document, takeOver, book, isRouted })
        return found.length > 0 ? found : routeOperations(route)
      }
    },
  }
}

interface Source {
  document(): UpstreamDocument | undefined
  /** Absent where it is a file. */
  readonly trouble?: () => string | undefined
  /** One for each book: routes of one upstream share its components. */
  takeOver(book: Book, document: UpstreamDocument): TakeOver
}

function sourceOf(name: string, document: Source['document']): Source {
  const known = new WeakMap<Book, TakeOver>()
  return {
    document,
    takeOver(book, document) {
      const takeOver = known.get(book) ?? new TakeOver(book, document, name)
      known.set(book, takeOver)
      return takeOver
    },
  }
}

function read(build: Build, name: string, { file = '', maxBytes, basePath }: UpstreamOpenapiConfig): Source {
  const path = ['upstreams', name, 'openapi', 'file']
  const text = build.read(file, path)
  try {
    const document = checked(text, { yaml: true, maxBytes, basePath })
    return sourceOf(name, () => document)
  } catch (error) {
    throw build.error(path, `${file}: ${messageOf(error)}`)
  }
}

interface Polled {
  readonly config: UpstreamOpenapiConfig
  onNew(): void
}

function polled(build: Build, name: string, { config, onNew }: Polled): Source {
  const { path = '', refresh = 300_000, timeout = 5_000, maxBytes, basePath } = config
  // What was told last is known after a reload, too.
  const memory = build
    .host(undefined)
    .keep(`openapi ${name} ${path}`, () => ({ known: undefined as KnownText | undefined }))
  const options = { yaml: false, maxBytes, basePath }
  let document = memory.known && checked(memory.known.text, options)
  const destination = new Destination(`openapi/${name}`, build.upstream(name))
  const polling = new PolledText({
    name: `upstream "${name}"`,
    what: 'an OpenAPI document',
    missing: '',
    intervalMs: refresh,
    known: memory.known,
    log: build.log,
    async ask(known) {
      const text = await askForDocument(destination, { path, timeoutMs: timeout, maxBytes })
      // A document that cannot be used is trouble like none at all: the last good one stays.
      if (text !== known?.text) document = checked(text, options)
      return { text }
    },
    onAsked(changed) {
      memory.known = polling.known
      if (changed) onNew()
    },
  })
  if (build.isOnline) polling.start()
  build.onFree(() => polling.close())
  return { ...sourceOf(name, () => document), trouble: () => polling.trouble }
}

function checked(text: string, options: Parameters<typeof readDocument>[1]): UpstreamDocument {
  const document = readDocument(text, options)
  checkOperations(document)
  return document
}
