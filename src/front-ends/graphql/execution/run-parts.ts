import { type GraphQLFormattedError, type GraphQLSchema, isObjectType } from 'graphql'
import type { OperationResult } from '../operation.ts'
import type { CompiledOperation } from './compiled-operation.ts'
import { isObject, own, put } from './data-object.ts'
import type { Part } from './deferred.ts'
import { type PartObject, partObjectsAt } from './part-objects.ts'
import type { Run } from './run.ts'

/** What one part says of one object (Incremental delivery over HTTP, as of 2022-08-24). */
export interface PartResult {
  readonly label: string | undefined
  /** Of the object, as the client sees it. */
  readonly path: readonly (string | number)[]
  /** JSON text. */
  readonly data: string
  readonly errors: readonly GraphQLFormattedError[]
}

/** What an operation came to for who takes an answer in parts. */
export interface AnswerInParts {
  readonly first: OperationResult
  /** What comes after it, as it comes; it fetches no more once nobody asks for more. Undefined: the first is all. */
  readonly rest?: LaterParts | undefined
}

export type LaterParts = AsyncGenerator<readonly PartResult[], void>

/** Runs an operation whose answer comes in parts; resolves with the first. */
export async function runParts(
  root: Part,
  run: Run,
  { compiled, schema }: { readonly compiled: CompiledOperation; readonly schema: GraphQLSchema },
): Promise<AnswerInParts> {
  await root.fetch?.(run)
  const [first] = results(root, { run, compiled, schema, told: {}, nulled: [] })
  const { data = 'null', errors = [] } = first ?? {}
  const told: unknown = JSON.parse(data)
  return { first: { data, errors }, rest: following(root.parts, { run, compiled, schema, told }) }
}

interface Running {
  readonly run: Run
  readonly compiled: CompiledOperation
  readonly schema: GraphQLSchema
  /** What the client has of the data. */
  readonly told: unknown
}

/** The parts run side by side, and those within one after it. */
async function* following(parts: readonly Part[], running: Running): LaterParts {
  if (running.told === null) return
  const pending = new Map<Part, Promise<Fetched>>()
  const begin = (part: Part, nulled: Fetched['nulled']): void => {
    const run = running.compiled.beginPart(running.run)
    const fetched = async (): Promise<Fetched> => {
      await part.fetch?.(run)
      return { part, run, nulled }
    }
    pending.set(part, fetched())
  }
  for (const part of parts) begin(part, [])
  while (pending.size > 0) {
    const { part, run, nulled } = await Promise.race(pending.values())
    pending.delete(part)
    const came = results(part, { ...running, run, nulled })
    const failed = came.filter(({ data }) => data === 'null').map(({ path }) => path)
    for (const { path, data } of came) tell(running.told, path, JSON.parse(data))
    // Of what is not there nothing is said, and nothing fetched when it is all of them.
    if (failed.length === 0 || failed.length < came.length)
      for (const within of part.parts) begin(within, [...nulled, ...failed])
    yield came
  }
}

interface Fetched {
  readonly part: Part
  readonly run: Run
  /** Objects of which a part that this one is within came out null. */
  readonly nulled: readonly PartObject['path'][]
}

/** What a part says of each of its objects, once all is fetched. */
function results(
  { label, path, type, write }: Part,
  { run, compiled, schema, told, nulled }: Running & Pick<Fetched, 'nulled'>,
): PartResult[] {
  if (write === undefined) return []
  const failed = compiled.told(run)
  const objects = partObjectsAt(path, { data: run.data, told }, schema).filter(
    (one) => !nulled.some((place) => startsWith(one.path, place)),
  )
  return objects.map((one, index) => {
    const name = isObjectType(type) ? type.name : own(one.object, '__typename')
    const written = compiled.writePart(write(String(name)), { run, ...one })
    // What cannot be placed is told with the first.
    const placed = failed.filter(
      (error) => isWithin(error, one) || (index === 0 && !objects.some((other) => isWithin(error, other))),
    )
    return { label, path: one.path, data: written.data ?? 'null', errors: [...placed, ...written.errors] }
  })
}

function isWithin({ path }: GraphQLFormattedError, { path: place }: PartObject): boolean {
  return path !== undefined && startsWith(path, place)
}

function startsWith(path: PartObject['path'], place: PartObject['path']): boolean {
  return place.every((part, index) => path[index] === part)
}

/** Adds to what the client has been told. */
function tell(told: unknown, path: readonly (string | number)[], data: unknown): void {
  let at = told
  for (const part of path)
    at = Array.isArray(at) ? at[Number(part)] : isObject(at) ? own(at, String(part)) : undefined
  merge(at, data)
}

function merge(into: unknown, data: unknown): void {
  if (Array.isArray(into) && Array.isArray(data))
    for (const [index, item] of into.entries()) merge(item, data[index])
  if (!isObject(into) || !isObject(data)) return
  for (const [key, value] of Object.entries(data)) {
    const known = own(into, key)
    if (isObject(known) || Array.isArray(known)) merge(known, value)
    else put(into, key, value)
  }
}
