import type { GatewayError } from '../../../core/error.ts'
import type { SubgraphData } from '../subgraphs/subgraph.ts'
import type { Ask } from './ask.ts'
import { type DataObject, isObject } from './data-object.ts'
import { trailsAt } from './data-path.ts'
import { errorOf, reportFailure } from './fetch-errors.ts'
import { copyOf, markFailed, markUnfetched, merge } from './merge.ts'
import type { PlannedFetch } from './planned-fetch.ts'
import type { Run } from './run.ts'

/** Fields of the root. */
export class RootAsk implements Ask {
  readonly fetch: PlannedFetch
  readonly shared: readonly string[]
  readonly #run: Run
  readonly #targets: readonly DataObject[]

  constructor(
    fetch: PlannedFetch,
    run: Run,
    { targets, shared }: { readonly targets: readonly DataObject[]; readonly shared: readonly string[] },
  ) {
    this.fetch = fetch
    this.#run = run
    this.#targets = targets
    this.shared = shared
  }

  own(): string[] {
    return []
  }

  accept({ data, errors }: SubgraphData): void {
    const { fetch } = this
    for (const error of errors) this.#report(error, data)
    if (!isObject(data)) {
      for (const target of this.#targets) markUnfetched(target, fetch.shape)
      return
    }
    fetch.rewrite?.(data)
    const [first, ...others] = this.#targets
    for (const target of others) merge(target, copyOf(data, fetch.shape), fetch)
    if (first !== undefined) merge(first, data, fetch)
  }

  fail(error: GatewayError): void {
    reportFailure(error, this.#run, { fetch: this.fetch, targets: this.#targets })
  }

  #report(error: SubgraphData['errors'][number], data: SubgraphData['data']): void {
    const { fetch } = this
    const { path } = error
    if (path !== undefined && isObject(data)) markFailed(data, path)
    const [only, ...others] = fetch.topKeys
    const nearest = only !== undefined && others.length === 0 ? [only.key] : []
    const within = path?.map((part) => fetch.renamed.get(String(part)) ?? part) ?? nearest
    const told = errorOf(error, fetch.subgraph)
    for (const place of this.#places())
      this.#run.errors.push({ error: told, path: [...place, ...within], isExact: path !== undefined })
  }

  #places(): (readonly (string | number)[])[] {
    if (this.fetch.path.length === 0) return [[]]
    return [...trailsAt(this.#run.data, this.fetch.path).values()].map(({ path }) => path)
  }
}
