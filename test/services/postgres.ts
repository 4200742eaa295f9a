import { execFile } from 'node:child_process'
import { chown, readFile, realpath, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import { freePort } from './free-port.ts'
import { type OwnProcess, ownFolder, startOwnProcess } from './own-process.ts'
import { ensureProgram } from './programs.ts'

/** A PostgreSQL of our own, empty at first. */
export interface Postgres {
  readonly port: number
  /** Makes a new, empty database and resolves with its URL. */
  database(): Promise<string>
  /** SIGSTOP to all its processes: it accepts connections from now on, but answers nothing. */
  freeze(): Promise<void>
  /** SIGCONT: it answers all that came while it was frozen. */
  thaw(): Promise<void>
  /** SIGKILL to all its processes. What it had committed is there when it is started again. */
  kill(): Promise<void>
  /** After {@link Postgres.kill}: at the same port. */
  start(): Promise<void>
  /** Ends it, frozen or not, and removes its data. */
  stop(): Promise<void>
}

/** It refuses to run as root; any other user will do. */
const nobody = process.getuid?.() === 0 ? 65_534 : undefined
const readyWithinMs = 30_000

/** Resolves when it takes connections, of the user `gateway` without a password. */
export async function startPostgres(): Promise<Postgres> {
  // Not a link to it: the program beside it is needed.
  const program = await realpath(await ensureProgram('postgres'))
  const data = await ownFolder('postgres')
  if (nobody !== undefined) await chown(data, nobody, nobody)
  const as = nobody === undefined ? {} : { uid: nobody, gid: nobody }
  const initdb = ['-D', data, '-U', 'gateway', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
  await promisify(execFile)(join(dirname(program), 'initdb'), initdb, { ...as, cwd: data })
  const port = await freePort()
  const url = (name: string): string => `postgres://gateway@127.0.0.1:${port}/${name}`
  let server: OwnProcess | undefined
  let databases = 0
  const start = async (): Promise<void> => {
    const settings = ['listen_addresses=127.0.0.1', `port=${port}`, `unix_socket_directories=${data}`]
    settings.push('fsync=off', 'shared_buffers=16MB', 'max_connections=60', 'autovacuum=off')
    server = await startOwnProcess({
      program,
      args: ['-D', data, ...settings.flatMap((setting) => ['-c', setting])],
      folder: await ownFolder('postgres-run'),
      port,
      ...(nobody !== undefined && { user: nobody }),
    })
    await untilReady(url('postgres'))
  }
  const kill = async (): Promise<void> => {
    if (server === undefined) return
    const { pid } = server
    const children = await childrenOf(pid)
    for (const child of children) signal(child, 'SIGKILL')
    await server.kill()
    server = undefined
  }
  const all = async (name: NodeJS.Signals): Promise<void> => {
    if (server === undefined) return
    // First the one that makes others.
    signal(server.pid, name)
    for (const child of await childrenOf(server.pid)) signal(child, name)
  }
  await start()
  return {
    port,
    database: async () => {
      const name = `test_${++databases}`
      await ask(url('postgres'), `create database ${name}`)
      return url(name)
    },
    freeze: () => all('SIGSTOP'),
    thaw: () => all('SIGCONT'),
    kill,
    start,
    stop: async () => {
      await kill()
      await rm(data, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** Runs one statement on a connection of its own. */
export async function ask(url: string, statement: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(url)
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(statement)).rows
  } finally {
    await client.end()
  }
}

async function untilReady(url: string): Promise<void> {
  const until = performance.now() + readyWithinMs
  for (;;) {
    try {
      await ask(url, 'select 1')
      return
    } catch (error) {
      if (performance.now() > until) throw error
      await delay(20)
    }
  }
}

async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  return text.split(' ').filter(Boolean).map(Number)
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended in the meantime.
  }
}
