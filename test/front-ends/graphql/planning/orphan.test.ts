import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('./plans-for-long.ts', import.meta.url))

test('a planning process that is deep in a plan does not outlive a gateway that was killed', async (t) => {
  const gateway = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => gateway.kill('SIGKILL'))
  await once(gateway.stdout, 'data')
  const [planning, ...others] = childrenOf(gateway.pid)
  assert.ok(planning !== undefined && others.length === 0)
  t.after(() => {
    if (isRunning(planning)) process.kill(planning, 'SIGKILL')
  })
  gateway.kill('SIGKILL')
  await once(gateway, 'exit')
  // It looks once a second; the plan takes minutes.
  for (let looks = 0; looks < 100 && isRunning(planning); looks++) await wait(100)
  assert.ok(!isRunning(planning))
})

function childrenOf(pid: number | undefined): number[] {
  const lines = execFileSync('ps', ['-A', '-o', 'ppid=,pid='], { encoding: 'utf8' }).trim().split('\n')
  const pairs = lines.map((line) => line.trim().split(/\s+/).map(Number))
  return pairs.flatMap(([parent, child]) => (parent === pid && child !== undefined ? child : []))
}

function isRunning(pid: number): boolean {
  try {
    const state = execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
    // Who has adopted it may not have buried it yet.
    return !state.startsWith('Z')
  } catch {
    return false
  }
}
