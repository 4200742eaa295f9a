import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A child of the demo, ready to be used. */
export interface DemoProcess {
  readonly name: string
  readonly url: string
  /** Asks it to end and waits; kills it after `patienceMs`. */
  stop(patienceMs?: number): Promise<void>
  /** Resolves when it ends, with what it said last on standard error. */
  readonly ended: Promise<string>
}

/** How one demo process is started. */
export interface DemoProgram {
  /** Path below the repository. */
  readonly script: string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** What to do with each line of standard output. */
  readonly onLine?: (line: string) => void
}

/**
 * Starts a script of this repository and waits until a line of its output says where it listens: JSON with a `url`, and mostly a `name`.
 * Rejects with what it said on standard error when it ends before that.
 */
export async function startProcess(program: DemoProgram): Promise<DemoProcess> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL(`../../${program.script}`, import.meta.url)), ...(program.args ?? [])],
    {
      env: { ...process.env, ...program.env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Ctrl-C in the terminal reaches the demo alone, which then ends its children in order.
      detached: true,
    },
  )
  const ended = endOf(child)
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
  const listening = new Promise<{ name?: string; url: string }>((resolve) => {
    lines.on('line', (line) => {
      program.onLine?.(line)
      const said = parseObject(line)
      if (typeof said.url === 'string') resolve(said as { name?: string; url: string })
    })
  })
  const first = await Promise.race([listening, ended])
  if (typeof first === 'string') throw new Error(`${program.script} did not start: ${first}`)
  const { name = program.script, url } = first
  return { name, url, ended, stop: (patienceMs = 5_000) => stop(child, patienceMs) }
}

function parseObject(line: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(line)
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

async function endOf(child: ChildProcess): Promise<string> {
  let last = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    last = (last + chunk.toString('utf8')).slice(-4_000)
  })
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  return last.trim() || `it ended with ${signal ?? `code ${code}`}`
}

async function stop(child: ChildProcess, patienceMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = once(child, 'close')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs)
  await closed
  clearTimeout(timer)
}
