import { Socket } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import type { ClientConfig, Pool } from 'pg'
import type { Engine, Fault, Session } from './engine.ts'
import { PostgresEars } from './postgres-ears.ts'

/** How PostgreSQL is reached. */
export interface PostgresPlace {
  /** `postgres://user:password@host:port/database`. */
  readonly url: string
  /** Absent: no TLS. */
  readonly tls?: ConnectionOptions | undefined
  /** Connections at the most, besides the one that listens. */
  readonly connections: number
  /** How long a connection may take to be made, in milliseconds. */
  readonly connectMs: number
  /** After this many milliseconds the server itself gives a statement up. */
  readonly statementMs: number
}

/** PostgreSQL, by a pool of connections and one that listens. */
export class PostgresEngine implements Engine {
  readonly kind = 'postgres'
  readonly place: string
  readonly isShared = true
  readonly begin = 'begin'
  // Any number, the same for all nodes; given back at the end of the transaction.
  readonly lockMigrations = 'select pg_advisory_xact_lock(7411820931)'
  readonly notify = channel
  readonly #place: PostgresPlace
  readonly #sockets = new Set<Socket>()
  #heard = (): void => {}
  #pool: Pool | undefined
  #ears: PostgresEars | undefined

  constructor(place: PostgresPlace) {
    const { host, pathname } = new URL(place.url)
    this.place = `${host}${pathname}`
    this.#place = place
  }

  async open(): Promise<void> {
    if (this.#pool !== undefined) return
    // Only now: who has SQLite does not load it.
    const { Client, Pool, TypeOverrides } = (await import('pg')).default
    // Counters and times are int8, sums of them numeric: texts to the driver, safe numbers to us.
    const types = new TypeOverrides()
    for (const oid of [20, 1700]) types.setTypeParser(oid, Number)
    const { url, tls, connections, connectMs, statementMs } = this.#place
    const client: ClientConfig = {
      connectionString: url,
      ssl: tls ?? false,
      connectionTimeoutMillis: connectMs,
      keepAlive: true,
      application_name: 'trivium',
      types,
      stream: () => this.#socket(),
    }
    const pool = new Pool({
      ...client,
      max: connections,
      idleTimeoutMillis: 60_000,
      // Not as a parameter of the connection: poolers between refuse those that they do not know.
      onConnect: (made) => void made.query(`set statement_timeout = ${statementMs}`).catch(() => undefined),
    })
    // Of idle ones that the server has ended; the next statement finds out.
    pool.on('error', () => {})
    this.#pool = pool
    this.#ears = new PostgresEars(() => new Client(client), { channel, heard: () => this.#heard() })
    this.#ears.listen()
  }

  async session(): Promise<Session> {
    if (this.#pool === undefined) throw new Error('the database is not open')
    const client = await this.#pool.connect()
    return {
      run: async (sql, parameters) => {
        const { rows, rowCount } = await client.query(sql, [...parameters])
        return { rows, changed: rowCount ?? 0 }
      },
      release: (broken) => client.release(broken),
    }
  }

  faultOf(error: unknown): Fault {
    const { code } = error as { code?: unknown }
    // SQLSTATEs have five characters; what has none comes from the connection (postgresql.org/docs/current/errcodes-appendix.html).
    if (typeof code !== 'string' || !/^[0-9A-Z]{5}$/.test(code) || code.startsWith('E')) return 'away'
    if (unwritable.has(code)) return 'unwritable'
    return awayClasses.some((start) => code.startsWith(start)) ? 'away' : 'statement'
  }

  onNotify(heard: () => void): void {
    this.#heard = heard
  }

  async close(): Promise<void> {
    this.#ears?.close()
    const ended = this.#pool?.end().catch(() => undefined)
    // A server that does not answer does not say goodbye either.
    const impatient = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy()
    }, 500)
    await ended
    clearTimeout(impatient)
  }

  #socket(): Socket {
    const socket = new Socket()
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    return socket
  }
}

const channel = 'trivium'

/** Disk full, and read-only: a standby, or one that was made so. */
const unwritable = new Set(['53100', '25006'])
/** Connection exceptions, wrong credentials, no such database, no resources, shutting down or starting, canceled for want of time. */
const awayClasses = ['08', '28', '3D', '53', '57P', '57014', '58']
