import { SeenFiles } from './config/seen-files.ts'
import type { DiffSide } from './control/diff-config.ts'
import { type ReadConfig, readConfig } from './control/edit-config.ts'
import { type Source, type SourceOptions, sourceOf } from './source.ts'

/** A checked configuration, for comparing. */
export function comparedSide({ text, loaded }: Source): DiffSide {
  return { data: readConfig(text).data, config: loaded.config }
}

/** A text that may not pass the checks (any more), for comparing. `files`: which it may name. */
export async function comparedSideOf(
  { text, data }: ReadConfig,
  options: SourceOptions,
  files = new SeenFiles(),
): Promise<DiffSide> {
  try {
    const { loaded } = await sourceOf(text, options, files)
    return { data, config: loaded.config }
  } catch {
    return { data, config: undefined }
  }
}
