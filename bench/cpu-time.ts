import { readFile } from 'node:fs/promises'

/** Linux counts CPU time for user space in ticks of 10 ms on every architecture that Node runs on (USER_HZ, time(7)). */
const microsPerTick = 10_000

/** CPU time that a process has used so far with all its threads, user and system, in microseconds. Linux only. */
export async function cpuTimeMicros(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  // Fields 14 and 15 of proc_pid_stat(5); the name before them may hold spaces, but it ends at the last parenthesis.
  const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(afterName[11]) + Number(afterName[12])) * microsPerTick
}
