import type { GraphQLFormattedError } from 'graphql'
import type { GatewayError } from '../../../core/error.ts'
import type { Subgraph } from '../subgraphs/subgraph.ts'
import { type DataObject, own } from './data-object.ts'
import { beforeLists } from './data-path.ts'
import { markUnfetched } from './merge.ts'
import type { PlannedFetch } from './planned-fetch.ts'
import { type Run, toldFailure } from './run.ts'

/** An error that a subgraph reported, without its path, and with the name of the subgraph if clients may know it. */
export function errorOf(
  { message, extensions }: GraphQLFormattedError,
  { name, anonymous = false }: Subgraph,
): GraphQLFormattedError {
  if (anonymous) return extensions === undefined ? { message } : { message, extensions }
  return { message, extensions: { ...extensions, serviceName: name } }
}

/** Reports a fetch that failed: at each field that it would have filled; below a list once, at the list. */
export function reportFailure(
  error: GatewayError,
  run: Run,
  { fetch, targets }: { readonly fetch: PlannedFetch; readonly targets: readonly DataObject[] },
): void {
  const { faults } = run.execution.context
  if (!faults.includes(error)) faults.push(error)
  const told = errorOf(toldFailure(error), fetch.subgraph)
  const place = beforeLists(fetch.path)
  const isBelowList = fetch.path.some(({ key }) => key === '@')
  const [target] = targets
  const keys = isBelowList || target === undefined ? [] : keysOf(target, fetch)
  if (keys.length === 0) run.errors.push({ error: told, path: place, isExact: false })
  for (const key of keys) run.errors.push({ error: told, path: [...place, key], isExact: true })
  for (const one of targets) markUnfetched(one, fetch.shape)
}

/** The fields of the fetch that the object has. */
function keysOf(target: DataObject, { topKeys, types, path }: PlannedFetch): string[] {
  const typename = own(target, '__typename')
  const keys = topKeys.flatMap(({ key, on }) =>
    path.length === 0 ||
    typeof typename !== 'string' ||
    on.every((condition) => types.meets(typename, condition))
      ? [key]
      : [],
  )
  return [...new Set(keys)]
}
