import { once } from 'node:events'
import type { Config } from '../../config/schema.ts'
import { silentLog } from '../../core/log.ts'
import { messageOf } from '../../core/message-of.ts'
import { openRedis } from '../../open-redis.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

const waitMs = 5_000
/** Tokens carry times: the tolerance of `auth.jwt[].clockSkew` is 30 s by default. */
const skewMs = 5_000

/** Whether Redis lets us in, and whether its clock is ours. */
export async function lookAtRedis({ stores }: Config): Promise<Finding[]> {
  const redis = openRedis(stores, silentLog)
  if (redis === undefined)
    return [ok('redis', 'none: each gateway counts its limits alone (stores.redis.url)')]
  let trouble = 'no answer'
  redis.on('error', (error: Error) => {
    trouble = error.message
  })
  try {
    if (redis.status !== 'ready')
      await once(redis, 'ready', { signal: AbortSignal.timeout(waitMs) }).catch(() => {})
    const [seconds = 0, micros = 0] = (await redis.time()).map(Number)
    return [ok('redis', 'answers'), lookAtClock(seconds * 1_000 + micros / 1_000 - Date.now())]
  } catch (error) {
    const why = redis.status === 'ready' ? messageOf(error) : trouble
    return [
      fail(
        'redis',
        `cannot be used: ${why}`,
        'start it, or correct stores.redis; the gateway serves without, and counts alone',
      ),
    ]
  } finally {
    redis.disconnect()
  }
}

function lookAtClock(aheadMs: number): Finding {
  const seconds = Math.round(Math.abs(aheadMs) / 100) / 10
  if (Math.abs(aheadMs) <= skewMs) return ok('clock', `${new Date().toISOString()}, as that of Redis`)
  const way = aheadMs > 0 ? 'behind' : 'ahead of'
  return warn(
    'clock',
    `${seconds} s ${way} that of Redis`,
    'let both follow NTP: tokens and limits go by time',
  )
}
