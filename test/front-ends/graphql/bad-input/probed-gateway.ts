import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createGateway } from '../../../../src/gateway.ts'
import { createLog } from '../../../../src/log.ts'

// A gateway in a process of its own, which says how long it kept others waiting, and how large its heap is.
// Asked over IPC for `pause`, `heap` or `end`; its first message is its address.

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const config = JSON.parse(process.argv[2] ?? '{}') as object
const log = createLog('error', { write: () => {} })
const gateway = await createGateway({ config, log, watch: false })
const url = await gateway.listen()

/** Of this thread's processor time, so that a busy machine does not count. */
let longestMs = 0
let last = process.threadCpuUsage()
setInterval(() => {
  const { user, system } = process.threadCpuUsage(last)
  longestMs = Math.max(longestMs, (user + system) / 1_000)
  last = process.threadCpuUsage()
}, 1)

process.on('message', async (question) => {
  if (question === 'pause') {
    process.send?.(longestMs)
    longestMs = 0
  } else if (question === 'heap') {
    collect()
    process.send?.(process.memoryUsage().heapUsed)
    last = process.threadCpuUsage()
  } else {
    await gateway.shutdown()
    process.exit()
  }
})
process.once('disconnect', () => process.exit())
process.send?.(url)
