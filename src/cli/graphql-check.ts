import { messageOf } from '../core/message-of.ts'
import { readManifest } from '../front-ends/graphql/requests/read-manifest.ts'
import { type SchemaChange, schemaChanges } from '../front-ends/graphql/supergraph/schema-changes.ts'
import { fetchText } from '../front-ends/graphql/supergraph/supergraph-url.ts'
import { openWorkbench, type Workbench } from '../front-ends/graphql/supergraph/workbench.ts'
import { askAdmin } from './admin-client.ts'
import type { CommandInput } from './command.ts'
import { readText, supergraphOf } from './supergraph-of.ts'

/** An operation of a manifest that the new schema refuses. */
interface Lost {
  readonly id: string
  readonly mistakes: readonly string[]
  /** Whether the schema that runs refuses it too. */
  readonly before: boolean
}

/**
 * `gateway graphql check`: what a new supergraph means to clients. Exit code 0: nothing breaks, 2: something does. With operations to hold it against
 * that is one that is lost, else any breaking change.
 */
export async function checkGraphql(input: CommandInput): Promise<number> {
  const { operations } = input.values
  const documents = operations === undefined ? undefined : manifestOf(operations)
  const { supergraphSdl, hints } = await supergraphOf(input, input.words)
  const [before, after] = [await openWorkbench(await runningSdl(input)), await openWorkbench(supergraphSdl)]
  try {
    const changes = schemaChanges(before.schema, after.schema)
    const lost = documents?.flatMap((document) => lostOf(document, before, after))
    const broken =
      lost === undefined ? changes.some(({ kind }) => kind === 'breaking') : lost.some((one) => !one.before)
    if (input.json) console.log(JSON.stringify({ broken, changes, operations: lost ?? null, hints }, null, 2))
    else print({ changes, lost, of: documents?.length ?? 0, broken })
    return broken ? 2 : 0
  } finally {
    before.close()
    after.close()
  }
}

/** The supergraph that clients have now: of `--against`, a file or an address, or else of a running gateway. */
async function runningSdl(input: CommandInput): Promise<string> {
  const { against } = input.values
  if (against === undefined) {
    const ask = { method: 'GET', path: '/graphql/supergraph', has: 'supergraph' } as const
    return String(((await askAdmin(input, ask)) as { supergraph: unknown }).supergraph)
  }
  if (!/^https?:\/\//.test(against)) return readText(against)
  const { token } = input.values
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const limits = { intervalMs: 0, timeoutMs: 30_000, maxBytes: 64 * 1_048_576 }
  const told = await fetchText({ url: against, headers, ...limits }, undefined).catch((error: unknown) => {
    throw new Error(`${against} ${messageOf(error)}`)
  })
  return told?.text ?? ''
}

type Manifest = ReturnType<typeof readManifest>

function manifestOf(file: string): Manifest {
  const text = readText(file)
  try {
    return readManifest(text)
  } catch (error) {
    throw new Error(`${file} ${messageOf(error)}`)
  }
}

function lostOf({ id, text }: Manifest[number], before: Workbench, after: Workbench): Lost[] {
  const mistakes = after.mistakes(text)
  return mistakes.length === 0 ? [] : [{ id, mistakes, before: before.mistakes(text).length > 0 }]
}

function print(found: {
  readonly changes: readonly SchemaChange[]
  readonly lost: readonly Lost[] | undefined
  readonly of: number
  readonly broken: boolean
}): void {
  const { changes, lost, of, broken } = found
  if (changes.length === 0) console.log('clients see no difference')
  for (const { kind, description } of changes) console.log(`${kind.padEnd(9)} ${description}`)
  for (const { id, mistakes, before } of lost ?? []) {
    console.log(`${before ? 'refused as it is now' : 'refused'}: ${id}`)
    for (const mistake of mistakes) console.log(`  ${mistake}`)
  }
  if (lost !== undefined) console.log(`${of - lost.length} of ${of} operations are valid`)
  console.log(broken ? 'clients break' : 'no client breaks')
}
