import type { Change } from '../control/change.ts'
import { isRecord } from '../core/is-record.ts'
import type { CommandInput } from './command.ts'
import type { Desk, DeskOptions, DeskWritten } from './desk.ts'
import { harmless, paint, printJson } from './terminal.ts'

/** Prints each change as `~ routes/users`, with what differs in it below. */
export function printChanges(changes: readonly Change[], write: (line: string) => void = console.log): void {
  for (const { kind, id, op, before, after } of changes) {
    const sign = { create: '+', update: '~', delete: '-' }[op]
    const tone = { create: 'good', update: 'warning', delete: 'bad' } as const
    write(paint(tone[op], harmless(`${sign} ${kind}/${id}`)))
    if (op === 'delete') continue
    for (const line of differences(before, after)) write(`    ${harmless(line)}`)
  }
}

/** What came of a write, for people or programs. */
export function printWritten(
  { json }: Pick<CommandInput, 'json'>,
  written: DeskWritten,
  { place, dryRun }: Pick<Desk, 'place'> & DeskOptions,
): void {
  const { version, changes, warnings } = written
  if (json) {
    printJson({ ...written, dryRun })
    return
  }
  printChanges(changes)
  for (const warning of warnings) console.error(harmless(`warning: ${warning}`))
  if (changes.length === 0) console.log('no difference')
  else if (dryRun) console.log('dry run: nothing is changed')
  else if (version === undefined) console.log(`${place}: written`)
  else console.log(`version ${version} runs; gateway rollback ${version - 1} takes it back`)
}

/** `plugins[0].rateLimit.limit: 100 -> 5`; of what is new, its values. */
export function differences(before: unknown, after: unknown): readonly string[] {
  const [old, now] = [leaves(before), leaves(after)]
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((path) => {
    const [from, to] = [old.get(path), now.get(path)]
    if (from === to) return []
    if (from === undefined) return [`${path}: ${to}`]
    return [to === undefined ? `${path}: ${from} -> (none)` : `${path}: ${from} -> ${to}`]
  })
}

/** Every value that holds no others, by its path. */
function leaves(value: unknown, path = '', found = new Map<string, string>()): ReadonlyMap<string, string> {
  if (Array.isArray(value) && value.some((item) => typeof item === 'object'))
    value.forEach((item, index) => {
      leaves(item, `${path}[${index}]`, found)
    })
  else if (isRecord(value))
    for (const [key, member] of Object.entries(value))
      leaves(member, path === '' ? key : `${path}.${key}`, found)
  else if (value !== undefined) found.set(path, typeof value === 'string' ? value : JSON.stringify(value))
  return found
}
