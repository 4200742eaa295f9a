import { z } from 'zod'
import { type Target, targetShape } from '../core/target.ts'

/** Keys that mean nothing to us may stand beside those of a target: others read the same entries. */
const entry = z.object(targetShape)

/** A target as it is written in a store: its URL, or an object with `url`, `weight` and `priority`. Throws an Error that says what is wrong. */
export function readTarget(written: unknown): Target {
  const parsed = entry.safeParse(typeof written === 'string' ? { url: written } : written)
  if (parsed.success) return { ...parsed.data, url: new URL(parsed.data.url).origin }
  const [issue] = parsed.error.issues
  const key = issue?.path.join('.') ?? ''
  throw new Error(`${key === '' ? '' : `${key}: `}${issue?.message}`)
}
