import { resolve } from 'node:path'
import { freePort } from '../test/services/free-port.ts'
import { type OwnProcess, ownFolder, startOwnProcess } from '../test/services/own-process.ts'

/** A Node program of this repository in a process of its own, listening on 127.0.0.1. */
export interface OwnNode extends AsyncDisposable {
  /** Origin: `http://127.0.0.1:port`. */
  readonly url: string
  readonly pid: number
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
}

/** Starts it and resolves when it accepts connections. What it writes to standard output is lost: logs cost what they cost elsewhere. */
export async function startOwnNode(options: OwnNodeOptions): Promise<OwnNode> {
  const { file, args = [], environment = {} } = options
  const port = options.port ?? (await freePort())
  const variables = Object.entries({ NODE_ENV: 'production', ...environment, PORT: `${port}` })
  const command = [process.execPath, resolve(import.meta.dirname, '..', file), ...args]
  const words = [...variables.map(([name, value]) => `${name}=${value}`), ...command]
  const own: OwnProcess = await startOwnProcess({
    program: '/bin/sh',
    args: ['-c', 'exec env "$@" >/dev/null', 'bench', ...words],
    folder: options.folder ?? (await ownFolder('bench')),
    port,
  })
  return { url: `http://127.0.0.1:${port}`, pid: own.pid, [Symbol.asyncDispose]: own.kill }
}
