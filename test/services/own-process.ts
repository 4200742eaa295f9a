import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { findProgram } from './programs.ts'

/** A server program that runs for one test only; it ends with our process at the latest. */
export interface OwnProcess {
  readonly pid: number
  /** Sends a signal and does not wait. */
  signal(name: NodeJS.Signals): void
  /** Resolves when it has ended, by whomever. */
  readonly ended: Promise<void>
  /** Ends it with SIGKILL, waits until it is gone and removes its folder. May be called again. */
  kill(): Promise<void>
}

/** How to start an {@link OwnProcess}, and how to see that it is ready. */
export interface OwnProcessOptions {
  readonly program: string
  readonly args: readonly string[]
  /** The working folder, from {@link ownFolder}; the process owns it from here on. */
  readonly folder: string
  /** The port on 127.0.0.1 that it listens on. */
  readonly port: number
  /** Ready when it answers `send` with `expect`; without it, when it accepts a connection. */
  readonly greeting?: { readonly send: string; readonly expect: string }
  /** Who it runs as, where we are root: some programs refuse root. Default: ourselves. */
  readonly user?: number | undefined
}

const readyWithinMs = 15_000
const running = new Map<ChildProcess, string>()

/** A new empty folder under the system's temporary folder. */
export async function ownFolder(name: string): Promise<string> {
  return mkdtemp(join(tmpdir(), `trivium-${name}-`))
}

/**
 * Resolves when the server is ready. Throws when its port is in use already, and, with what it printed, when
 * it ends before it is ready or is not ready within 15 s.
 */
export async function startOwnProcess(options: OwnProcessOptions): Promise<OwnProcess> {
  const { program, args, folder, port, user } = options
  if (await answers({ port })) {
    rmSync(folder, { recursive: true })
    throw new Error(`${program} did not start: port ${port} is in use`)
  }
  // Where there is a setpriv, the kernel ends the server even when we are ended with SIGKILL.
  const setpriv = process.platform === 'linux' ? await findProgram('setpriv') : undefined
  const as = user === undefined ? [] : [`--reuid=${user}`, `--regid=${user}`, '--clear-groups']
  const [command, before] = setpriv ? [setpriv, [...as, '--pdeathsig', 'KILL', program]] : [program, []]
  const child = spawn(command, [...before, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-4_000)
    })
  }
  if (running.size === 0) process.on('exit', endAll)
  running.set(child, folder)
  try {
    await once(child, 'spawn')
    await untilReady(child, options)
    if (child.pid === undefined) throw new Error('it has no process id')
  } catch (cause) {
    await kill(child)
    throw new Error(`${program} did not start: ${String(cause)}\n${output}`, { cause })
  }
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  return { pid: child.pid, signal: (name) => void child.kill(name), ended, kill: () => kill(child) }
}

async function untilReady(child: ChildProcess, options: OwnProcessOptions): Promise<void> {
  const until = performance.now() + readyWithinMs
  while (!(await answers(options))) {
    if (hasEnded(child)) throw new Error(`it ended with ${child.exitCode ?? child.signalCode}`)
    if (performance.now() > until) throw new Error(`it did not answer within ${readyWithinMs} ms`)
    await delay(10)
  }
}

function answers({ port, greeting }: Pick<OwnProcessOptions, 'port' | 'greeting'>): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const settle = (ready: boolean): void => {
      socket.destroy()
      resolve(ready)
    }
    socket.setTimeout(1_000, () => settle(false))
    socket.once('error', () => settle(false)).once('end', () => settle(false))
    socket.once('connect', () => (greeting === undefined ? settle(true) : socket.write(greeting.send)))
    socket.once('data', (bytes) => settle(bytes.toString().startsWith(greeting?.expect ?? '')))
  })
}

async function kill(child: ChildProcess): Promise<void> {
  const folder = running.get(child)
  if (child.pid !== undefined && !hasEnded(child)) {
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  running.delete(child)
  if (running.size === 0) process.off('exit', endAll)
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

function endAll(): void {
  for (const [child, folder] of running) {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
}
