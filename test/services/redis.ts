import { freePort } from './free-port.ts'
import { ownFolder, startOwnProcess } from './own-process.ts'
import { ensureProgram } from './programs.ts'

/** A Redis of our own, empty at first, that keeps nothing on disk. */
export interface Redis {
  /** For clients: `redis://127.0.0.1:port`. */
  readonly url: string
  readonly port: number
  readonly pid: number
  /** SIGKILL, and waits until it is gone; `startRedis({port})` then starts an empty one in its place. */
  kill(): Promise<void>
  /** SIGSTOP: it accepts connections from now on, but answers nothing. */
  pause(): void
  /** SIGCONT: it answers all that came while it was paused. */
  resume(): void
  /** Ends it at once, paused or not. May be called after `kill`. */
  stop(): Promise<void>
}

/** Resolves when PING is answered, or refused for want of a password. `port` is a free one by default; `args` are added to those of redis-server. */
export async function startRedis(
  options: { readonly port?: number; readonly args?: readonly string[] } = {},
): Promise<Redis> {
  const program = await ensureProgram('redis-server')
  const port = options.port ?? (await freePort())
  const own = options.args ?? []
  const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...own]
  const redis = await startOwnProcess({
    program,
    args,
    folder: await ownFolder('redis'),
    port,
    greeting: { send: 'PING\r\n', expect: own.includes('--requirepass') ? '-NOAUTH' : '+PONG' },
  })
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    pid: redis.pid,
    kill: redis.kill,
    pause: () => redis.signal('SIGSTOP'),
    resume: () => redis.signal('SIGCONT'),
    stop: redis.kill,
  }
}
