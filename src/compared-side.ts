import { SeenFiles } from './config/seen-files.ts'
import { ConfigText } from './control/config-text.ts'
import type { DiffSide } from './control/diff-config.ts'
import { type Source, type SourceOptions, sourceOf } from './source.ts'

/** A checked configuration, for comparing. */
export function comparedSide({ text, loaded }: Source): DiffSide {
  return { data: new ConfigText(text).data, config: loaded.config }
}

/** A text that may not pass the checks (any more), for comparing. */
export async function comparedSideOf(text: string, options: SourceOptions): Promise<DiffSide> {
  try {
    return comparedSide(await sourceOf(text, options, new SeenFiles()))
  } catch {
    return { data: new ConfigText(text).data, config: undefined }
  }
}
