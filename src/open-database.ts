import { dirname, resolve } from 'node:path'
import type { Config } from './config/schema.ts'
import type { Logger } from './core/log.ts'
import { postgresAddress } from './postgres-address.ts'
import type { Database } from './store/database.ts'
import type { Engine } from './store/engine.ts'
import { PostgresEngine } from './store/postgres-engine.ts'
import { SqlDatabase } from './store/sql-database.ts'
import { SqliteEngine } from './store/sqlite-engine.ts'

type DatabaseConfig = Config['stores']['database']

/**
 * The database of `stores.database`, not started yet.
 *
 * @param file that the configuration was read from: paths are relative to its folder; undefined: to the working directory, and by default
 * nothing outlives the gateway.
 */
export function openDatabase(
  config: DatabaseConfig,
  { file, log }: { readonly file: string | undefined; readonly log: Logger },
): Database {
  const { queryTimeout: queryMs, searchTimeout: searchMs } = config
  const url = config.url || (file === undefined ? 'sqlite::memory:' : 'sqlite:./data/gateway.db')
  const engines = url.startsWith('sqlite:')
    ? sqlite(url.slice('sqlite:'.length), file === undefined ? '.' : dirname(file))
    : postgres(config)
  return new SqlDatabase({ ...engines, queryMs, searchMs, log })
}

interface Engines {
  readonly engine: Engine
  readonly searchEngine?: Engine
}

function sqlite(path: string, folder: string): Engines {
  if (path === ':memory:') return { engine: new SqliteEngine(path) }
  const file = resolve(folder, path)
  return { engine: new SqliteEngine(file), searchEngine: new SqliteEngine(file, { readOnly: true }) }
}

function postgres(config: DatabaseConfig): Engines {
  const { connections, queryTimeout: connectMs, searchTimeout: statementMs } = config
  return { engine: new PostgresEngine({ ...postgresAddress(config), connections, connectMs, statementMs }) }
}
