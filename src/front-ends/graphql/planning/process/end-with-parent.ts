import { Worker } from 'node:worker_threads'

/**
 * Ends this process when the one that started it is gone. That it hears of by its channel, too; but not while it plans, which may take days where
 * nobody is left to end it. So a thread of its own looks.
 */
export function endWithParent(): void {
  const worker = new Worker(watching, {
    eval: true,
    execArgv: [],
    workerData: { parent: process.ppid, everyMs },
    resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1 },
  })
  worker.unref()
}

/** A process whose parent has ended gets another one. */
const watching = `
const { workerData } = require('node:worker_threads')
setInterval(() => {
  if (process.ppid !== workerData.parent) process.kill(process.pid, 'SIGKILL')
}, workerData.everyMs)
`
const everyMs = 1_000
