import type { SubgraphData } from '../subgraphs/subgraph.ts'
import { aliasOf } from './combinations.ts'
import { type DataObject, isObject, own, put } from './data-object.ts'
import type { PlannedFetch } from './planned-fetch.ts'

/**
 * What an answer to a combination says of the fetch with that index, as if it had been asked alone. Undefined: it says nothing of it,
 * because others made the whole fail.
 */
export function partOf(
  { data, errors }: SubgraphData,
  fetch: PlannedFetch,
  index: number,
): SubgraphData | undefined {
  const prefix = fetch.isEntityFetch ? aliasOf(index) : `${aliasOf(index)}_`
  const mine = errors.flatMap((error) => {
    const [first, ...rest] = error.path ?? []
    if (first === undefined) return isObject(data) ? error : []
    if (fetch.isEntityFetch) return first === prefix ? { ...error, path: ['_entities', ...rest] } : []
    const isMine = typeof first === 'string' && first.startsWith(prefix)
    return isMine ? { ...error, path: [first.slice(prefix.length), ...rest] } : []
  })
  if (!isObject(data)) return mine.length === 0 ? undefined : { data, errors: mine }
  return {
    data: fetch.isEntityFetch ? { _entities: own(data, prefix) } : fieldsOf(data, prefix),
    errors: mine,
  }
}

function fieldsOf(data: DataObject, prefix: string): DataObject {
  const fields: DataObject = {}
  for (const key of Object.keys(data))
    if (key.startsWith(prefix)) put(fields, key.slice(prefix.length), own(data, key))
  return fields
}
