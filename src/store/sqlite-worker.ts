import { parentPort, workerData } from 'node:worker_threads'
import { SqliteConnection, type SqlitePlace } from './sqlite-connection.ts'
import type { SqliteReply, SqliteRequest } from './sqlite-thread.ts'

/** The thread of one {@link SqliteConnection}: does what it is asked, in turn. */
const connection = new SqliteConnection(workerData as SqlitePlace)

parentPort?.on('message', (request: SqliteRequest) => {
  parentPort?.postMessage(replyTo(request))
  if (request.what === 'close') parentPort?.close()
})

function replyTo({ id, what, sql = '', parameters = [] }: SqliteRequest): SqliteReply {
  try {
    if (what === 'run') return { id, answer: connection.run(sql, parameters) }
    connection[what]()
    return { id }
  } catch (error) {
    const { message, errcode } = error as Error & { errcode?: number }
    const { code } = error as NodeJS.ErrnoException
    return { id, error: { message, errcode, code } }
  }
}
