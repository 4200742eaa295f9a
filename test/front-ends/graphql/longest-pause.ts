/**
 * The longest time that `work` kept the event loop from other work, in milliseconds of this thread's processor time, so that a busy
 * machine does not count.
 */
export async function longestPauseMs(work: () => Promise<unknown>): Promise<number> {
  let longestMs = 0
  let last = process.threadCpuUsage()
  const beat = (): void => {
    const { user, system } = process.threadCpuUsage(last)
    longestMs = Math.max(longestMs, (user + system) / 1_000)
    last = process.threadCpuUsage()
  }
  const timer = setInterval(beat, 1)
  await work()
  beat()
  clearInterval(timer)
  return longestMs
}
