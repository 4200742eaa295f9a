import { resolve } from 'node:path'
import { freePort } from './free-port.ts'
import { type OwnProcess, ownFolder, startOwnProcess } from './own-process.ts'

/** A Node program of this repository in a process of its own, listening on 127.0.0.1. */
export interface OwnNode extends AsyncDisposable {
  /** Origin: `http://127.0.0.1:port`. */
  readonly url: string
  readonly pid: number
  /** Sends a signal and does not wait. */
  signal(name: NodeJS.Signals): void
  /** Resolves when it has ended, by whomever. */
  readonly ended: Promise<void>
}

/** Which program to start. */
export interface OwnNodeOptions {
  /** The program, relative to the root of the repository. */
  readonly file: string
  readonly args?: readonly string[]
  /** Beside those of our own environment, `PORT` and `NODE_ENV=production`. */
  readonly environment?: Readonly<Record<string, string>>
  /** The port that it will listen on. Default: a free one. */
  readonly port?: number
  /** Its working folder, from `ownFolder`; removed when it has ended. Default: an empty one. */
  readonly folder?: string
  /** The file that what it writes to standard output is added to. Default: it is lost, as logs cost what they cost elsewhere. */
  readonly output?: string
}

/** Starts it and resolves when it accepts connections. */
export async function startOwnNode(options: OwnNodeOptions): Promise<OwnNode> {
  const { file, args = [], environment = {}, output = '/dev/null' } = options
  const port = options.port ?? (await freePort())
  const variables = Object.entries({ NODE_ENV: 'production', ...environment, PORT: `${port}` })
  const command = [process.execPath, resolve(import.meta.dirname, '../..', file), ...args]
  const words = [...variables.map(([name, value]) => `${name}=${value}`), ...command]
  const own: OwnProcess = await startOwnProcess({
    program: '/bin/sh',
    args: ['-c', 'out=$1; shift; exec env "$@" >>"$out"', 'node', output, ...words],
    folder: options.folder ?? (await ownFolder('node')),
    port,
  })
  return {
    url: `http://127.0.0.1:${port}`,
    pid: own.pid,
    signal: own.signal,
    ended: own.ended,
    [Symbol.asyncDispose]: own.kill,
  }
}
