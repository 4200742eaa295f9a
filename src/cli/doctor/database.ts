import { accessSync, constants, existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Config } from '../../config/schema.ts'
import { messageOf } from '../../core/message-of.ts'
import { postgresAddress } from '../../postgres-address.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

const waitMs = 5_000

/** Whether what outlives a restart can be kept. Nothing is written: the gateway itself makes and changes its tables. */
export async function lookAtDatabase({ stores }: Config, file: string): Promise<Finding[]> {
  const { url: written } = stores.database
  const url = written === '' ? 'sqlite:./data/gateway.db' : written
  const todo = 'correct stores.database.url, or start it; the gateway serves without, and takes no changes'
  try {
    if (!url.startsWith('sqlite:')) return [await lookAtPostgres(stores.database)]
    const place = url.slice('sqlite:'.length)
    if (place === ':memory:')
      return [
        warn('database', 'in memory: changes, keys and logs end with the process', 'set stores.database.url'),
      ]
    return [lookAtFile(resolve(dirname(file), place))]
  } catch (error) {
    return [fail('database', `cannot be used: ${messageOf(error)}`, todo)]
  }
}

/** A file that is not there yet is made, and so are its folders. */
function lookAtFile(path: string): Finding {
  let folder = dirname(path)
  while (!existsSync(folder)) folder = dirname(folder)
  accessSync(folder, constants.W_OK | constants.X_OK)
  if (!existsSync(path)) {
    // A file in place of a folder is found by this.
    accessSync(`${folder}/.`)
    return ok('database', `${path} will be made`)
  }
  accessSync(path, constants.R_OK | constants.W_OK)
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    database.exec('SELECT count(*) FROM sqlite_schema')
  } finally {
    database.close()
  }
  return ok('database', `${path} can be read and written`)
}

async function lookAtPostgres(config: Config['stores']['database']): Promise<Finding> {
  // Only now: who has SQLite does not load it.
  const { Client } = (await import('pg')).default
  const { url, tls } = postgresAddress(config)
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: waitMs,
    query_timeout: waitMs,
    ssl: tls ?? false,
  })
  try {
    await client.connect()
    const { rows } = await client.query<{ version: string }>(
      "SELECT current_setting('server_version') AS version",
    )
    return ok('database', `PostgreSQL ${rows[0]?.version ?? ''} answers`)
  } finally {
    await client.end().catch(() => {})
  }
}
