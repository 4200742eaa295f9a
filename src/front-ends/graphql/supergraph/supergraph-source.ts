import type { Logger } from '../../../core/log.ts'
import { type KnownText, PolledText, type PolledTextOptions } from '../../../core/polled-text.ts'
import type { Destination } from '../../../traffic/destination.ts'
import type { SubgraphSdl } from '../supergraph.ts'
import { askForSchema, type LiveOptions } from './live-subgraph.ts'
import { fetchText, type SupergraphUrl } from './supergraph-url.ts'

/** A part of the supergraph, and who knows its schema: a file that was read, or the subgraph itself. */
export interface SubgraphSource {
  readonly name: string
  /** Of its GraphQL server; undefined: it has none. */
  readonly destination?: Destination | undefined
  /** Path of its GraphQL endpoint. */
  readonly path: string
  readonly sdl?: string
  /** The file of the SDL, for messages. */
  readonly file?: string
  readonly live?: LiveOptions | undefined
}

/** Where a supergraph comes from. */
export interface SupergraphSourceOptions {
  /** A composed one: its text, or where to fetch it; undefined: it is composed of the subgraphs. */
  readonly supergraph?: string | SupergraphUrl | undefined
  readonly subgraphs: readonly SubgraphSource[]
}

/** All that is needed for a supergraph, as it is known now, or what clients are told while it is not. */
export type Gathered =
  | { readonly kind: 'supergraph'; readonly sdl: string }
  | { readonly kind: 'subgraphs'; readonly subgraphs: readonly SubgraphSdl[] }
  | { readonly kind: 'missing'; readonly reason: string }

/** The texts that a supergraph is made of; those that others have are asked for again and again. */
export class SupergraphSource {
  readonly #options: SupergraphSourceOptions
  readonly #polled = new Map<string, PolledText>()

  /** Throws an Error for a subgraph that nobody knows the schema of. */
  constructor(options: SupergraphSourceOptions, { known, log, onAsked }: PollingOptions) {
    this.#options = options
    const { supergraph, subgraphs } = options
    const poll = (key: string, given: Asked): void => {
      this.#polled.set(
        key,
        new PolledText({ ...given, what: 'a GraphQL schema', known: known.get(key), log, onAsked }),
      )
    }
    if (typeof supergraph === 'object') {
      const { origin, pathname } = new URL(supergraph.url)
      poll(urlKey(supergraph.url), {
        name: `${origin}${pathname}`,
        missing: 'the supergraph was not fetched yet',
        intervalMs: supergraph.intervalMs,
        ask: (text) => fetchText(supergraph, text),
      })
    }
    if (supergraph !== undefined) return
    for (const { name, sdl, live, destination, path } of subgraphs) {
      if (sdl !== undefined) continue
      if (live === undefined || destination === undefined)
        throw new Error(`Subgraph "${name}" has no schema; it is needed where no supergraph is given.`)
      poll(liveKey(name, path, destination), {
        name: `subgraph "${name}"`,
        missing: `subgraph "${name}" has not told its schema yet`,
        intervalMs: live.intervalMs,
        ask: async () => ({ text: await askForSchema({ destination, path, live }) }),
      })
    }
  }

  /** Whether anything may change by itself. */
  get isPolled(): boolean {
    return this.#polled.size > 0
  }

  /** Resolves when those of whom nothing is known have been asked once. */
  async first(): Promise<void> {
    const unknown = [...this.#polled.values()].filter(({ known }) => known === undefined)
    await Promise.all(unknown.map((text) => text.ask()))
  }

  gather(): Gathered {
    const { supergraph, subgraphs } = this.#options
    const missing = [...this.#polled.values()].filter(({ known }) => known === undefined)
    if (missing.length > 0) return { kind: 'missing', reason: missing.map((one) => one.missing).join('; ') }
    if (typeof supergraph === 'string') return { kind: 'supergraph', sdl: supergraph }
    if (supergraph !== undefined) return { kind: 'supergraph', sdl: this.#text(urlKey(supergraph.url)) }
    return {
      kind: 'subgraphs',
      subgraphs: subgraphs.map(({ name, sdl, file, path, destination }) => ({
        name,
        sdl: sdl ?? this.#text(liveKey(name, path, destination)),
        ...(file === undefined ? undefined : { file }),
      })),
    }
  }

  /** What each of them told last, by a key that stays the same over reloads. */
  get known(): ReadonlyMap<string, KnownText> {
    return new Map(
      [...this.#polled].flatMap(([key, { known }]) => (known === undefined ? [] : [[key, known]])),
    )
  }

  /** Who could not be asked the last time, and why; undefined: nobody. */
  get trouble(): string | undefined {
    const troubles = [...this.#polled.values()].flatMap(({ trouble }) => trouble ?? [])
    return troubles.length === 0 ? undefined : troubles.join('; ')
  }

  /** From now on they are asked by the clock. */
  start(): void {
    for (const text of this.#polled.values()) text.start()
  }

  close(): void {
    for (const text of this.#polled.values()) text.close()
  }

  #text(key: string): string {
    return this.#polled.get(key)?.known?.text ?? ''
  }
}

/** How what others have is asked for. */
interface PollingOptions {
  /** From before a reload. */
  readonly known: ReadonlyMap<string, KnownText>
  readonly log: Logger
  /** One was asked by the clock: `changed` tells whether it told something else than before. */
  onAsked(changed: boolean): void
}

type Asked = Pick<PolledTextOptions, 'name' | 'missing' | 'intervalMs' | 'ask'>

function urlKey(url: string): string {
  return `url ${url}`
}

function liveKey(name: string, path: string, destination: Destination | undefined): string {
  return `subgraph ${name} ${destination?.upstream.name} ${path}`
}
