import type { Change, ConfigEdit, ItemKind } from '../control/change.ts'
import type { CommandInput } from './command.ts'

/** Where the configuration is seen and changed: a running gateway, or a plain file. */
export interface Desk {
  /** For messages: `http://127.0.0.1:8080/admin`, `gateway.yaml`. */
  readonly place: string
  items(kind: ItemKind): Promise<readonly DeskItem[]>
  /** All or nothing. Throws an Error that says what is wrong. */
  write(edits: readonly ConfigEdit[], options: DeskOptions): Promise<DeskWritten>
}

/** One thing of the configuration, as it is written. */
export interface DeskItem {
  readonly id: string
  readonly value: unknown
}

export interface DeskOptions {
  /** Why, for versions and the audit log. */
  readonly message?: string | undefined
  readonly dryRun: boolean
}

/** What became of a write. */
export interface DeskWritten {
  /** Of the running configuration; undefined: a file has none. */
  readonly version: number | undefined
  readonly changes: readonly Change[]
  readonly warnings: readonly string[]
}

/** The file that `--file` names, else the gateway of `--url`. */
export async function openDesk(input: CommandInput): Promise<Desk> {
  if (input.file === undefined) return (await import('./admin-desk.ts')).adminDesk(input)
  return (await import('./file-desk.ts')).fileDesk(input.file)
}
