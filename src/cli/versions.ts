import type { Change } from '../control/change.ts'
import { askAdmin, listAdmin, sendToAdmin } from './admin-client.ts'
import { withOptions } from './admin-desk.ts'
import { printChanges, printWritten } from './changes.ts'
import type { CommandInput } from './command.ts'
import type { DeskWritten } from './desk.ts'
import { readText } from './supergraph-of.ts'
import { printTable } from './table.ts'
import { printJson, timeText } from './terminal.ts'
import { writeWhole } from './write-whole.ts'

/** `gateway diff [FILE]`: exit code 2 when the file differs from what runs, or from `--version`. */
export async function diffFile(input: CommandInput): Promise<number> {
  const { version } = input.values
  const from = version === undefined ? '' : `?from=${numberOf(version)}`
  const text = readText(input.config)
  const { changes } = await differencesOf(input, text, from)
  if (input.json) printJson({ changes })
  else if (changes.length === 0) console.log('no difference')
  else printChanges(changes)
  return changes.length === 0 ? 0 : 2
}

/** `gateway apply [FILE]`: what it changes is shown, and then in place, unless somebody else changed something in between. */
export async function applyFile(input: CommandInput): Promise<number> {
  const { message, force = false, 'if-match': given, 'dry-run': dryRun = false } = input.values
  if (force && given !== undefined) throw new Error('--force and --if-match contradict each other')
  const text = readText(input.config)
  const ifMatch = force ? undefined : (given ?? (await currentTag(input)))
  const path = withOptions('/config', { message, dryRun })
  const written = await askAdmin(input, { method: 'PUT', path, text, ifMatch, has: 'changes' })
  printWritten(input, written as DeskWritten, { place: input.config, message, dryRun })
  return 0
}

/** `gateway export`: the configuration that runs, or ran as a version, secrets masked. */
export async function exportConfig(input: CommandInput): Promise<number> {
  const { version, output } = input.values
  const text = version === undefined ? await currentText(input) : (await versionOf(input, version)).text
  if (output !== undefined) {
    writeWhole(output, text)
    console.log(input.json ? JSON.stringify({ output }) : `${output}: written`)
  } else if (input.json) printJson({ text })
  else console.log(text.trimEnd())
  return 0
}

/** `gateway versions [N]`: all of them, or what one changed. */
export async function showVersions(input: CommandInput): Promise<number> {
  const [number] = input.words
  if (number !== undefined) {
    const { text: _, ...version } = await versionOf(input, number)
    if (input.json) printJson(version)
    else {
      console.log(
        `version ${version.version}, ${version.createdAt}, by ${version.author}: ${version.message}`,
      )
      printChanges(version.changes)
    }
    return 0
  }
  const versions = (await listAdmin(input, '/config/versions', { most: 50 })) as unknown as Version[]
  if (input.json) printJson(versions)
  else if (versions.length === 0) console.log('there are no versions')
  else
    printTable(
      versions.map(({ version, createdAt, author, origin, message, summary }) => ({
        version: String(version),
        when: timeText(createdAt),
        who: author,
        origin,
        changes: brief(summary),
        message: message === summary.join(', ') ? '' : message,
      })),
    )
  return 0
}

/** `gateway rollback N`: an old version runs again, as a new one. */
export async function rollbackTo(input: CommandInput): Promise<number> {
  const [number = ''] = input.words
  const { message, 'dry-run': dryRun = false } = input.values
  const path = withOptions(`/config/versions/${numberOf(number)}:rollback`, { message, dryRun })
  const written = await askAdmin(input, { method: 'POST', path, body: {}, has: 'changes' })
  printWritten(input, written as DeskWritten, { place: '', message, dryRun })
  return 0
}

const most = 4

/** So that a version that changes everything is a line like the others; `gateway versions N` and `--json` have all of it. */
function brief(summary: readonly string[]): string {
  const rest = summary.length - most
  return rest > 0 ? `${summary.slice(0, most).join(', ')} and ${rest} more` : summary.join(', ')
}

interface Version {
  readonly version: number
  readonly author: string
  readonly createdAt: string
  readonly message: string
  readonly origin: string
  readonly summary: readonly string[]
  readonly changes: readonly Change[]
  readonly text: string
}

async function versionOf(input: CommandInput, number: string): Promise<Version> {
  const path = `/config/versions/${numberOf(number)}`
  return (await askAdmin(input, { method: 'GET', path, has: 'version' })) as Version
}

async function differencesOf(
  input: CommandInput,
  text: string,
  query: string,
): Promise<{ changes: readonly Change[] }> {
  const ask = { method: 'POST', path: `/config:diff${query}`, text, has: 'changes' } as const
  return (await askAdmin(input, ask)) as { changes: readonly Change[] }
}

async function currentText(input: CommandInput): Promise<string> {
  return await (
    await sendToAdmin(input, { method: 'GET', path: '/config' }, AbortSignal.timeout(30_000))
  ).answer.text()
}

/** Of the configuration that runs now. */
async function currentTag(input: CommandInput): Promise<string | undefined> {
  const { answer } = await sendToAdmin(input, { method: 'GET', path: '/config' }, AbortSignal.timeout(30_000))
  await answer.body?.cancel()
  return answer.headers.get('etag') ?? undefined
}

function numberOf(text: string): number {
  if (!/^[1-9]\d*$/.test(text))
    throw new Error(`versions are numbers, as gateway versions lists them; not "${text}"`)
  return Number(text)
}
