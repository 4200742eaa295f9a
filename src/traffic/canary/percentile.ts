import type { Exchange } from '../../core/exchange.ts'
import { hashText } from '../balancing/hash.ts'
import { compileHashKey } from '../balancing/hash-key.ts'

/** Where an exchange stands among all, from 0 up to (never) 100: it is on the canary's side while this is below the weight. */
export type Percentile = (x: Exchange) => number

/**
 * The same for the same user, in every process and after every restart; growing weights only ever add users to the canary's side.
 *
 * @param stickyBy what a user is known by, as in {@link compileHashKey}; a request that has none of it is known by its address.
 * @param salt the place of the release, so that different releases do not try their luck on the same users.
 */
export function compilePercentile(stickyBy: readonly string[], salt: string): Percentile {
  const key = compileHashKey([...stickyBy, 'ip'])
  const seed = hashText(salt)
  return (x) => (hashText(key(x) ?? '', seed) / 2 ** 32) * 100
}
