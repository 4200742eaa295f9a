import type { ChildProcess } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import { glob } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { run } from 'node:test'
import { spec, type TestEvent } from 'node:test/reporters'
import { ensureProgram } from './services/programs.ts'

// What `npm test` runs: every test/**/*.test.ts in a process of its own, or with arguments those files only
// whose path contains one of them (`npm test -- test/foo.test.ts`, `npm test -- services`). The last line is
// the count.

const root = resolve(import.meta.dirname, '..')
/** Two more than there are cores: tests wait for clocks and other processes, and the cores for them. */
const processes = availableParallelism() + 2
const testTimeoutMs = 120_000
/** A file whose tests are all done has this long to end. */
const lingerMs = 10_000
/** A file in which a test is under way and nothing happens is given up after this long. */
const silenceMs = 600_000
/** Between SIGTERM and SIGKILL. */
const graceMs = 2_000

/** Compiled sources for all processes: each starts in half the time. */
process.env.NODE_COMPILE_CACHE ??= join(tmpdir(), 'trivium-compile-cache')

/** Gateways of our own gateway.yaml would share a file, and leave it behind. */
process.env.DATABASE_URL ??= 'sqlite::memory:'

/** The processes that `run` started: it does not tell them, but Node announces every one. */
const started: ChildProcess[] = []
subscribe('child_process', (message) => {
  started.push((message as { process: ChildProcess }).process)
})

const counts = { passed: 0, failed: 0, skipped: 0 }

async function main(): Promise<void> {
  if (!(await prepare())) return fail()
  const files = await chooseFiles(process.argv.slice(2))
  const report = new spec()
  report.pipe(process.stdout)
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: processes }, () => runFiles(files, report)))

  const { passed, failed, skipped } = counts
  const success = failed === 0 && passed > 0
  report.end(summary(success, performance.now() - startedAt))
  await finished(report)
  if (passed + failed === 0) process.stdout.write('no test ran\n')
  process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`)
  if (!success) fail()
}

function fail(): void {
  process.exitCode = 1
}

/** Programs that many tests need are looked for once, so that their absence is one message. */
async function prepare(): Promise<boolean> {
  let complete = true
  for (const program of ['redis-server', 'postgres', 'nginx', 'chromium'] as const) {
    try {
      await ensureProgram(program)
    } catch (error) {
      complete = false
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    }
  }
  return complete
}

async function chooseFiles(wanted: readonly string[]): Promise<string[]> {
  const all = await Array.fromAsync(glob('test/**/*.test.ts', { cwd: root }))
  const parts = wanted.map((part) => relative(root, resolve(root, part)))
  const chosen = all.filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)))
  return chosen.sort().map((file) => resolve(root, file))
}

/** Takes files from the front of `files` until there are none; the report of each is written in one piece. */
async function runFiles(files: string[], report: Writable): Promise<void> {
  for (let file = files.shift(); file !== undefined; file = files.shift()) {
    for (const event of await runFile(file)) report.write(event)
  }
}

/** Ends a process that something left open keeps alive (`run` would wait for ever): its file has failed. */
async function runFile(file: string): Promise<TestEvent[]> {
  const events: TestEvent[] = []
  const open = new Set<number>()
  let timer = endAfter(silenceMs, file, 'nothing happens in it')
  const stream = run({ files: [file], cwd: root, concurrency: 1, timeout: testTimeoutMs })
  for await (const event of stream as AsyncIterable<TestEvent>) {
    count(event, file)
    if (!isTotal(event)) events.push(event)
    if (event.type !== 'test:enqueue' && event.type !== 'test:complete') continue
    if (event.data.name === file) continue
    if (event.type === 'test:enqueue') open.add(event.data.testId)
    else open.delete(event.data.testId)
    clearTimeout(timer)
    timer =
      open.size > 0
        ? endAfter(silenceMs, file, 'nothing happens in it')
        : endAfter(lingerMs, file, 'its tests are done, but something that they opened is not closed')
  }
  clearTimeout(timer)
  return events
}

function endAfter(delayMs: number, file: string, why: string): NodeJS.Timeout {
  return setTimeout(() => {
    process.stdout.write(`${relative(root, file)} does not end: ${why}\n`)
    const child = started.find(({ spawnargs }) => spawnargs.includes(file))
    child?.kill('SIGTERM')
    setTimeout(() => child?.kill('SIGKILL'), graceMs).unref()
  }, delayMs)
}

/**
 * A file stands in the report as a test of its own when it has none or does not end well. A suite counts when
 * it fails in a hook of its own.
 */
function count({ type, data }: TestEvent, file: string): void {
  if (type !== 'test:pass' && type !== 'test:fail') return
  const isSuite = data.details.type === 'suite'
  if (isSuite && (type === 'test:pass' || hasFailedTest(data.details.error))) return
  if (data.skip !== undefined || data.todo !== undefined) counts.skipped++
  else if (type === 'test:fail') counts.failed++
  else if (data.name !== file) counts.passed++
}

function hasFailedTest(error: Error): boolean {
  return 'failureType' in error && error.failureType === 'subtestsFailed'
}

/** The totals of one `run`, which would stand in the report once for each file. */
function isTotal({ type, data }: TestEvent): boolean {
  return (type === 'test:diagnostic' || type === 'test:summary') && data.file === undefined
}

/** Makes the reporter list the failed tests once more. */
function summary(success: boolean, durationMs: number): TestEvent {
  const { passed, failed, skipped } = counts
  const tests = passed + failed + skipped
  const totals = { cancelled: 0, passed, failed, skipped, suites: 0, tests, todo: 0, topLevel: tests }
  return { type: 'test:summary', data: { counts: totals, duration_ms: durationMs, file: undefined, success } }
}

await main()
