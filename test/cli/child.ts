import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Ending } from '../world.ts'

/** Compiled sources, so that each process starts in half the time. */
const cache = { NODE_COMPILE_CACHE: join(tmpdir(), 'trivium-compile-cache') }
const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** What a command printed, and how it ended. */
export interface Finished {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Runs `gateway ...` to its end in a process of its own. */
export async function runCli(
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Finished> {
  const child = spawn(process.execPath, [main, ...args], {
    cwd: options.cwd,
    env: { ...cache, PATH: process.env.PATH, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 180_000,
    killSignal: 'SIGKILL',
  })
  const read = collect(child)
  await once(child, 'close')
  return { code: child.exitCode, out: read.out, err: read.err }
}

/** A gateway in a process of its own; ended with its test. */
export interface RunningCli {
  readonly url: string
  readonly port: number
  readonly child: ChildProcess
  /** All that it wrote so far, to both of its outputs. */
  written(): string
  /** Log lines so far, oldest first. */
  lines(): Record<string, unknown>[]
  /** Resolves with the first log line that `matches`; rejects when the process ends before that. */
  logged(matches: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>
  /** Resolves with the exit code; null when a signal ended it. */
  readonly ended: Promise<number | null>
}

/** Starts `gateway start FILE` and resolves when it listens; `nodeFlags` are Node's own. */
export async function startCli(
  t: Ending,
  file: string,
  args: readonly string[] = [],
  nodeFlags: readonly string[] = [],
  cwd?: string,
): Promise<RunningCli> {
  const child = spawn(process.execPath, [...nodeFlags, main, 'start', file, ...args], {
    cwd,
    env: { ...cache, PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const read = collect(child)
  const ended = once(child, 'close').then(() => child.exitCode)
  t.after(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const lines = (): Record<string, unknown>[] =>
    read.out
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  const logged: RunningCli['logged'] = (matches) =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = lines().find(matches)
        if (found === undefined) return
        child.stdout?.off('data', look)
        resolve(found)
      }
      child.stdout?.on('data', look)
      void ended.then((code) => reject(new Error(`the gateway ended with ${code}: ${read.err}${read.out}`)))
      look()
    })
  const { url } = await logged((line) => line.message === 'listening')
  const written = (): string => read.out + read.err
  return { url: String(url), port: Number(new URL(String(url)).port), child, written, lines, logged, ended }
}

function collect(child: ChildProcess): { out: string; err: string } {
  const read = { out: '', err: '' }
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    read.out += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    read.err += text
  })
  return read
}
