import { linkLocalViolations } from './admin/link-local.ts'
import { comparedSideOf } from './compared-side.ts'
import { ConfigError, type Problem } from './config/problem.ts'
import type { SeenFiles } from './config/seen-files.ts'
import type { DiffSide } from './control/diff-config.ts'
import type { ReadConfig } from './control/edit-config.ts'
import { type Powers, requireReferences } from './control/powers.ts'
import { refuseNewModules } from './control/sections-of-file.ts'
import type { Generations } from './generations.ts'
import type { LiveConfig } from './live-config.ts'
import type { SourceOptions } from './source.ts'

/** What decides how far a document that somebody sent only to be told of it is read. */
interface Sent {
  /** The running document, as it is written. */
  readonly before: unknown
  /** What who sent it may do. Undefined: everything. */
  readonly powers: Powers | undefined
  /** Which files it may name. */
  readonly files: SeenFiles
}

/** What is wrong with a document that somebody sent; empty: nothing. Throws INVALID_ARGUMENT and SCOPE_MISSING where it is not even read. */
export async function problemsOf(
  { text, data }: ReadConfig,
  options: Sent & { readonly live: LiveConfig; readonly generations: Generations },
): Promise<readonly Problem[]> {
  const { powers, files, live, generations } = options
  requireReadable(data, options)
  try {
    const source = await live.check(text, files)
    const refused = linkLocalViolations(source.loaded.config, generations.current.config)
    if (refused.length > 0)
      return refused.map(({ field, detail }) => ({
        file: '',
        line: 0,
        column: 0,
        path: field,
        message: detail,
      }))
    // To build it asks hosts that it names.
    if (powers?.write !== false) await (await live.build(source, live.version + 1)).drop()
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

/** A document that somebody sent, for comparing: where they may not have it read, as it is written. */
export async function sideOfSent(
  sent: ReadConfig,
  options: Sent & { readonly source: SourceOptions },
): Promise<DiffSide> {
  try {
    requireReadable(sent.data, options)
  } catch {
    return { data: sent.data, config: undefined }
  }
  return await comparedSideOf(sent, options.source, options.files)
}

/** Before anything of it is read: then code is loaded, and files and variables are put in. */
function requireReadable(after: unknown, { before, powers }: Sent): void {
  refuseNewModules(before, after)
  if (powers !== undefined) requireReferences(powers, { before, after })
}
