import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext } from 'node:test'
import { databaseKeys } from '../../src/config/database-keys.ts'
import { type Logger, silentLog } from '../../src/core/log.ts'
import { openDatabase } from '../../src/open-database.ts'
import type { Database } from '../../src/store/database.ts'
import { type Postgres, startPostgres } from '../services/postgres.ts'

/** One of the databases that a suite runs over. */
export interface DatabaseKind {
  readonly name: 'sqlite' | 'postgres'
  /** The `stores.database.url` of a new, empty one, which may be opened several times. */
  url(t: TestContext): Promise<string>
}

/** Runs `suite` over SQLite files and over one PostgreSQL that the test file has for itself; called once per file, at its top. */
export function onBothDatabases(suite: (kind: DatabaseKind) => void): { readonly postgres: Postgres } {
  let postgres: Postgres | undefined
  const server = (): Postgres => {
    if (postgres === undefined) throw new Error('PostgreSQL runs in tests only')
    return postgres
  }
  before(async () => {
    postgres = await startPostgres()
  })
  after(() => postgres?.stop())
  suite({ name: 'sqlite', url: async (t) => `sqlite:${join(await ownFolder(t), 'gateway.db')}` })
  suite({ name: 'postgres', url: () => server().database() })
  return {
    get postgres() {
      return server()
    },
  }
}

/** A folder that goes with its test. */
export async function ownFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'trivium-store-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A started database, closed with its test. `config`: of `stores.database`. */
export async function startDatabase(
  t: TestContext,
  config: { readonly url: string; readonly queryTimeout?: string },
  log: Logger = silentLog,
): Promise<Database> {
  const database = openDatabase(databaseKeys.parse(config), { file: undefined, log })
  t.after(() => database.close())
  await database.start()
  return database
}
