import { dirname, resolve } from 'node:path'
import type { ConnectionOptions } from 'node:tls'
import type { Config } from './config/schema.ts'
import type { Logger } from './core/log.ts'
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
    : postgres(url, config)
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

function postgres(text: string, { tls, connections, queryTimeout, searchTimeout }: DatabaseConfig): Engines {
  const url = new URL(text)
  // Another word for `tls`, in which the driver would mean something else from one version to the next.
  const mode = url.searchParams.get('sslmode') ?? 'disable'
  url.searchParams.delete('sslmode')
  const isPlain = tls === undefined && ['disable', 'allow', 'prefer'].includes(mode)
  return {
    engine: new PostgresEngine({
      url: url.href,
      tls: isPlain ? undefined : tlsOptions(tls),
      connections,
      connectMs: queryTimeout,
      statementMs: searchTimeout,
    }),
  }
}

function tlsOptions(tls: DatabaseConfig['tls']): ConnectionOptions {
  const { ca, cert, key, serverName, insecureSkipVerify = false } = tls ?? {}
  return {
    rejectUnauthorized: !insecureSkipVerify,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert, key }),
    ...(serverName !== undefined && { servername: serverName }),
  }
}
