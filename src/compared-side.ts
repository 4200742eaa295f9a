import { SeenFiles } from './config/seen-files.ts'
import type { DiffSide } from './control/diff-config.ts'
import { readConfig } from './control/edit-config.ts'
import { type Source, type SourceOptions, sourceOf } from './source.ts'

/** A checked configuration, for comparing. */
export function comparedSide({ loaded: { document, config } }: Source): DiffSide {
  return { data: document.written, config }
}

/** A text that may not pass the checks (any more), for comparing. `files`: which it may name. */
export async function comparedSideOf(
  text: string,
  options: SourceOptions,
  files = new SeenFiles(),
): Promise<DiffSide> {
  try {
    return comparedSide(await sourceOf(text, options, files))
  } catch {
    return { data: readConfig(text).data, config: undefined }
  }
}
