import { workerData } from 'node:worker_threads'

// A thread of the planning process: a plan holds up the first one, so that it does not hear when the gateway is killed.
const gateway: unknown = workerData
const everyMs = 1_000

setInterval(() => {
  if (process.ppid !== gateway) process.kill(process.pid, 'SIGKILL')
}, everyMs)
