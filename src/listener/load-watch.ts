import { getHeapStatistics } from 'node:v8'

/** How busy the process is at one moment. */
export interface LoadSample {
  /** How late the clock was: what an event has waited for before it was its turn, in milliseconds. */
  readonly delayMs: number
  /** `performance.now()` when the next sample is due. */
  readonly nextAt: number
  /** Of the heap that V8 may use. */
  readonly heapPercent: number
}

/** Tells how busy the process is, again and again, until the function that it returns is called. */
export type LoadWatch = (tell: (sample: LoadSample) => void) => () => void

/** Takes a sample every 20 ms; under load every turn of the event loop that lasts longer is one. */
export const watchLoad: LoadWatch = (tell) => {
  let due = performance.now() + intervalMs
  const timer = setInterval(() => {
    const now = performance.now()
    const delayMs = Math.max(0, now - due)
    due = now + intervalMs
    const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics()
    tell({ delayMs, nextAt: due, heapPercent: (used / limit) * 100 })
  }, intervalMs)
  timer.unref()
  return () => clearInterval(timer)
}

const intervalMs = 20
