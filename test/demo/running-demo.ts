import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Sample } from '../../examples/demo/samples.ts'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** A demo as a process of its own, as `npm run demo` starts it. */
export interface RunningDemo {
  readonly child: ChildProcess
  /** All that it has printed, both streams. */
  printed(): string
  /** Resolves with its exit code. */
  readonly ended: Promise<number | null>
}

/** data/demo.json. */
export interface DemoFile {
  readonly url: string
  readonly apiKey: string
  readonly jwt: string
  readonly password: string
  readonly samples: readonly Sample[]
}

/** Starts the demo and waits until it says that everything runs, or until it ends. */
export async function startDemo(port: number): Promise<RunningDemo> {
  const child = spawn(process.execPath, ['examples/demo.ts', '--port', String(port)], {
    cwd: root,
    stdio: 'pipe',
  })
  let text = ''
  const ended = once(child, 'close').then(([code]) => code as number | null)
  const ready = new Promise<void>((resolve) => {
    const read = (chunk: Buffer): void => {
      text += chunk.toString('utf8')
      if (text.includes('Ctrl-C ends everything')) resolve()
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
  })
  await Promise.race([ready, ended])
  return { child, printed: () => text, ended }
}

export function demoFile(): DemoFile {
  return JSON.parse(readFileSync(`${root}/data/demo.json`, 'utf8')) as DemoFile
}

/** Processes whose parent is `pid`, from /proc. */
export function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
  return text === '' ? [] : text.split(' ').map(Number)
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
