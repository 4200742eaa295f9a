import { linkLocalViolations } from './admin/link-local.ts'
import { comparedSideOf } from './compared-side.ts'
import { ConfigError, type Problem } from './config/problem.ts'
import type { SeenFiles } from './config/seen-files.ts'
import type { DiffSide } from './control/diff-config.ts'
import { type ReadConfig, readConfig } from './control/edit-config.ts'
import { unmaskedConfig } from './control/masked.ts'
import { type Powers, requireSecretsStay } from './control/powers.ts'
import { refuseNewModules } from './control/sections-of-file.ts'
import { GatewayError } from './core/error.ts'
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
  text: string,
  options: Sent & { readonly live: LiveConfig; readonly generations: Generations },
): Promise<readonly Problem[]> {
  const { before, powers, files, live, generations } = options
  const read = readOrProblem(text)
  if ('message' in read) return [read]
  const sent = unmaskedConfig(read, before)
  requireReadable(sent.data, options)
  try {
    const source = await live.check(sent.text, files)
    const refused = linkLocalViolations(source.loaded.config, generations.current.config)
    if (refused.length > 0)
      return refused.map(({ field, detail }) => ({ ...nowhere, path: field, message: detail }))
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
  return await comparedSideOf(sent.text, options.source, options.files)
}

/**
 * Reading holds up everything else. Who may not write has no more of it read than is needed to look at something like what runs.
 * Throws BODY_TOO_LARGE.
 */
export function requireShort(text: string, running: string, powers: Powers | undefined): void {
  const most = Math.max(maxReadOnly, 2 * running.length)
  if (powers?.write === false && text.length > most)
    throw new GatewayError(
      'BODY_TOO_LARGE',
      `A configuration of more than ${most} characters takes the scope "write".`,
    )
}

const maxReadOnly = 262_144

const nowhere = { file: '', line: 0, column: 0, path: '' }

function readOrProblem(text: string): ReadConfig | Problem {
  try {
    return readConfig(text)
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    const [message = '', line = '0', column = '0'] =
      /^([\s\S]*?)(?: at line (\d+), column (\d+):?[\s\S]*)?$/.exec(error.message)?.slice(1) ?? []
    return { ...nowhere, line: Number(line), column: Number(column), message }
  }
}

/** Before anything of it is read: then code is loaded, and files and variables are put in. */
function requireReadable(after: unknown, { before, powers }: Sent): void {
  refuseNewModules(before, after)
  if (powers !== undefined) requireSecretsStay(powers, { before, after })
}
