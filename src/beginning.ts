import type { Config } from './config/schema.ts'
import { SeenFiles } from './config/seen-files.ts'
import { VersionStore } from './control/version-store.ts'
import type { Logger } from './core/log.ts'
import type { GatewayOptions } from './gateway-options.ts'
import { createLog } from './log.ts'
import { hashOf } from './newest-config.ts'
import { openDatabase } from './open-database.ts'
import { readSource, type Source, type SourceOptions, sourceOf } from './source.ts'
import type { Database } from './store/database.ts'

/** What a gateway is made with. */
export interface Beginning {
  /** What says which ports, limits and stores it has: they are made once. */
  readonly first: Config
  readonly log: Logger
  /** Started; undefined: it keeps nothing. */
  readonly database: Database | undefined
}

/** Reads where the configuration is, and what was kept of it. Throws a ConfigError. */
export async function begin(options: GatewayOptions): Promise<Beginning> {
  const file = await readSource(options)
  const { stores, observability } = file.loaded.config
  const { log = createLog(observability.log.level), offline = false } = options
  const database = offline ? undefined : openDatabase(stores.database, { file: options.file, log })
  await database?.start()
  return { first: await newestConfig(file, options, database), log, database }
}

/** That of the newest version, unless the file is newer or the version does not load. */
async function newestConfig(
  file: Source,
  options: SourceOptions,
  database: Database | undefined,
): Promise<Config> {
  try {
    const newest = database && (await new VersionStore(database).newest())
    if (newest?.fileHash !== hashOf(file.text) || newest.text === file.text) return file.loaded.config
    const { loaded } = await sourceOf(newest.text, options, new SeenFiles())
    return loaded.config
  } catch {
    return file.loaded.config
  }
}
