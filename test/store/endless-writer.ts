import { databaseKeys } from '../../src/config/database-keys.ts'
import { silentLog } from '../../src/core/log.ts'
import { openDatabase } from '../../src/open-database.ts'

// Writes versions of a configuration, each with its note and its count in one transaction, and prints a line for each that the database took.

const [url, round = '0'] = process.argv.slice(2)
const config = databaseKeys.parse({ url, queryTimeout: '60s' })
const database = openDatabase(config, { file: undefined, log: silentLog })
await database.start()
const { db, topics } = database
for (let i = 0; ; i++) {
  const version = 1_000_000 * Number(round) + i
  const document = 'x'.repeat(20_000 + (i % 7))
  await db.transaction().execute(async (trx) => {
    await topics.bump(trx, 'config')
    const common = { version, changes: String(document.length) }
    await trx
      .insertInto('config_versions')
      .values({
        ...common,
        document,
        author: 'a',
        created_at: 1,
        message: '',
        origin: 'api',
        file_hash: null,
      })
      .execute()
    await trx
      .insertInto('audit_log')
      .values({
        ...common,
        at: 1,
        actor: 'a',
        address: '',
        action: '',
        method: '',
        path: '',
        outcome: '',
        status: 200,
        request_id: '',
      })
      .execute()
  })
  process.stdout.write(`${version}\n`)
}
