import { runCommand } from '../../src/cli/commands.ts'
import type { Finished } from './child.ts'

let turn: Promise<unknown> = Promise.resolve()

/**
 * Runs `gateway ...` in this process, one at a time, in the folder `cwd`: a process of its own takes a second on a busy machine. What is true of
 * processes only (signals, terminals, exit codes) is tested with {@link runCli}.
 */
export function runHere(args: readonly string[], cwd = process.cwd()): Promise<Finished> {
  const finished = turn.then(() => run(args, cwd))
  turn = finished.catch(() => {})
  return finished
}

async function run(args: readonly string[], cwd: string): Promise<Finished> {
  const { log, error } = console
  const before = process.cwd()
  const written = { out: '', err: '' }
  console.log = (text: string) => {
    written.out += `${text}\n`
  }
  console.error = (text: string) => {
    written.err += `${text}\n`
  }
  process.chdir(cwd)
  try {
    const code = await runCommand(args)
    return { code, ...written }
  } finally {
    Object.assign(console, { log, error })
    process.chdir(before)
  }
}
