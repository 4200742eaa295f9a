import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'

/** Resolves when something holds that events bring about; fails after `limitMs`, which is for what is broken, not for what is slow. */
export async function until(holds: () => boolean | Promise<boolean>, limitMs = 30_000): Promise<void> {
  for (const from = performance.now(); !(await holds()); await sleep(5))
    assert.ok(performance.now() - from < limitMs, 'it never came about')
}
