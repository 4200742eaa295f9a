import { setTimeout as delay } from 'node:timers/promises'
import { messageOf } from '../../../core/message-of.ts'
import type { UsedDocument } from '../documents.ts'
import type { Engine } from '../engine.ts'
import { InvalidOperation } from '../invalid-operation.ts'

/** What is planned before a new supergraph takes over. */
export interface WarmUpOptions {
  /** How many of the documents that were used most; 0: none. */
  readonly operations: number
  /** In milliseconds, for all of them. */
  readonly timeoutMs: number
}

/** How a warm-up went. */
export interface WarmedUp {
  readonly planned: number
  /** Documents in use that the new schema refuses, each with the reason. */
  readonly refused: readonly { readonly text: string; readonly reason: string }[]
  /** Documents for which there was no time. */
  readonly late: number
}

/**
 * Has an engine read and plan what its predecessor was asked most, one after the other, so that its first requests are as fast as the last
 * of the old one. Never rejects: what cannot be planned now is refused when it is asked for.
 */
export async function warmUp(
  engine: Engine,
  documents: readonly UsedDocument[],
  options: WarmUpOptions,
): Promise<WarmedUp> {
  const until = performance.now() + options.timeoutMs
  const refused: { text: string; reason: string }[] = []
  let planned = 0
  let done = 0
  for (const { text, uses } of documents.slice(0, options.operations)) {
    if (performance.now() >= until) break
    done++
    try {
      const document = engine.read(text)
      // What was used often before stays ahead of what is used once now.
      document.uses = Math.max(document.uses, Math.floor(uses / 2))
      for (const operation of document.operations)
        if (await inTime(engine.prepare(operation), until)) planned++
    } catch (error) {
      if (uses > 0) refused.push({ text, reason: reasonOf(error) })
    }
  }
  return { planned, refused, late: Math.min(documents.length, options.operations) - done }
}

async function inTime(work: Promise<void>, until: number): Promise<boolean> {
  const late = new AbortController()
  const limit = delay(Math.max(0, until - performance.now()), false, { signal: late.signal }).catch(
    () => false,
  )
  try {
    return await Promise.race([work.then(() => true), limit])
  } finally {
    late.abort()
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof InvalidOperation) return error.errors.map(({ message }) => message).join('; ')
  return messageOf(error)
}
