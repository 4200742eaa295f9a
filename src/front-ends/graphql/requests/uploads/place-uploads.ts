import { isRecord } from '../../../../core/is-record.ts'
import { invalidUpload } from './invalid-upload.ts'
import { Upload } from './upload.ts'

/**
 * Puts uploads where `map` says that files belong (GraphQL multipart request specification): `{"0": ["variables.file"]}`. Each place must be null before.
 * Throws INVALID_ARGUMENT. Returns them in the order of the map.
 */
export function placeUploads(
  operations: Readonly<Record<string, unknown>>,
  map: unknown,
  maxFiles: number,
): Upload[] {
  if (!isRecord(map)) throw invalidUpload('"map" must be a JSON object.')
  const entries = Object.entries(map)
  if (entries.length > maxFiles)
    throw invalidUpload(`The request has more files than the limit of ${maxFiles}.`)
  return entries.map(([name, paths]) => {
    if (!Array.isArray(paths) || paths.length === 0 || paths.length > maxFiles)
      throw invalidUpload(`"map" must have a list of paths for each file, at most ${maxFiles}.`)
    const upload = new Upload(name, paths as string[])
    for (const path of paths as unknown[]) place(operations, path, upload)
    return upload
  })
}

function place(operations: Readonly<Record<string, unknown>>, path: unknown, upload: Upload): void {
  const parts = typeof path === 'string' ? path.split('.') : []
  if (parts[0] !== 'variables' || parts.length < 2)
    throw invalidUpload('A path of "map" must be a text that begins with "variables.".')
  const last = parts.pop() ?? ''
  let at: unknown = operations
  for (const part of parts) at = memberOf(at, part)
  if (typeof at !== 'object' || at === null || memberOf(at, last) !== null)
    throw invalidUpload(`"map" names ${JSON.stringify(path).slice(0, 100)}, where "operations" has no null.`)
  ;(at as Record<string, unknown>)[last] = upload
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return (value as Readonly<Record<string, unknown>>)[name]
}
