import type { Exchange } from '../core/exchange.ts'

/**
 * How much of `totalMs` the exchange waited for upstreams: its calls one after another, or the longest of them when together they
 * took longer than the exchange (they ran side by side). Never more than `totalMs`.
 */
export function upstreamMs(x: Exchange, totalMs: number): number {
  let sum = 0
  let longest = 0
  for (let i = 0; i < x.calls.length; i++) {
    const durationMs = x.calls[i]?.durationMs ?? 0
    sum += durationMs
    if (durationMs > longest) longest = durationMs
  }
  return Math.min(sum <= totalMs ? sum : longest, totalMs)
}
