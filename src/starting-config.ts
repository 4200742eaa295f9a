import type { Config } from './config/schema.ts'
import { SeenFiles } from './config/seen-files.ts'
import type { VersionStore } from './control/version-store.ts'
import { hashOf } from './newest-config.ts'
import { type Source, type SourceOptions, sourceOf } from './source.ts'

/** What a gateway is made with: ports, limits, stores. That of the newest version, unless the file is newer or the version does not load. */
export async function startingConfig(
  file: Source,
  options: SourceOptions,
  store: VersionStore | undefined,
): Promise<Config> {
  try {
    const newest = await store?.newest()
    if (newest?.fileHash !== hashOf(file.text) || newest.text === file.text) return file.loaded.config
    const { loaded } = await sourceOf(newest.text, options, new SeenFiles())
    return loaded.config
  } catch {
    return file.loaded.config
  }
}
