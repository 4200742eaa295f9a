import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { accessSync, constants, globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'

interface Step {
  readonly name?: string
  readonly uses?: string
  readonly run?: string
  readonly env?: Readonly<Record<string, unknown>>
}

interface Job {
  readonly uses?: string
  readonly needs?: string
  readonly steps?: readonly Step[]
  readonly permissions?: Readonly<Record<string, string>>
  readonly 'timeout-minutes'?: number
}

interface Workflow {
  readonly permissions?: Readonly<Record<string, string>>
  readonly jobs: Readonly<Record<string, Job>>
}

const root = resolve(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const files = globSync('.github/workflows/*.yml', { cwd: root })
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }

function assertParses(script: string, what: string): void {
  const { status, stderr } = spawnSync('bash', ['-n'], { input: script, encoding: 'utf8' })
  assert.equal(status, 0, `${what}: ${stderr}`)
}

test('there are workflows', () => {
  assert.ok(files.length >= 2)
})

for (const file of files) {
  const workflow = parse(read(file)) as Workflow
  const steps = Object.values(workflow.jobs).flatMap((job) => job.steps ?? [])

  test(`${file}: actions are pinned by commit, and say which version that is`, () => {
    for (const [line] of read(file).matchAll(/^.*\buses: .*$/gm)) {
      assert.match(line, /uses: (\.\/\.github\/workflows\/\S+|\S+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/)
    }
    for (const { uses } of Object.values(workflow.jobs))
      if (uses) assert.ok(files.includes(uses.slice(2)), uses)
  })

  test(`${file}: may only read, but for the jobs that say otherwise, and no job hangs for ever`, () => {
    assert.deepEqual(workflow.permissions, { contents: 'read' })
    for (const [name, job] of Object.entries(workflow.jobs)) {
      assert.ok(job.uses !== undefined || (job['timeout-minutes'] ?? 0) > 0, name)
      assert.ok(job.needs === undefined || job.needs in workflow.jobs, name)
    }
  })

  test(`${file}: what is run can be read by bash, and is there`, () => {
    for (const { run } of steps) {
      if (run === undefined) continue
      assertParses(run, run)
      // What others write (names of branches, titles) must not be taken for a part of the script.
      assert.ok(!run.includes('$' + '{{'), run)
      for (const [, script = ''] of run.matchAll(/npm run ([\w:-]+)/g)) assert.ok(script in scripts, script)
      for (const [path] of run.matchAll(/(?<![\w/.])(?:\.ci|deploy)\/[\w/.-]+(?:\.sh|run)\b/g)) {
        accessSync(join(root, path), constants.X_OK)
      }
    }
  })
}

test('what is tested there is what is tested everywhere', () => {
  const { jobs } = parse(read('.github/workflows/test.yml')) as Workflow
  assert.deepEqual(
    jobs.test?.steps?.map(({ run }) => run),
    [undefined, '.ci/run'],
  )
  for (const [, script = ''] of read('.ci/run').matchAll(/npm run ([\w:-]+)/g))
    assert.ok(script in scripts, script)
})

test('nothing is deployed that was not tested, built and tried before', () => {
  const { jobs } = parse(read('.github/workflows/release.yml')) as Workflow
  assert.deepEqual(
    [jobs.deploy?.needs, jobs.image?.needs, jobs.test?.uses],
    ['image', 'test', './.github/workflows/test.yml'],
  )
})

for (const file of globSync('deploy/**/*.sh', { cwd: root })) {
  test(`${file} can be read by bash, stops at the first failure, and may be run`, () => {
    assertParses(read(file), file)
    assert.match(read(file), /^#!\/usr\/bin\/env bash\n(#.*\n)+set -euo pipefail\n/)
    accessSync(join(root, file), constants.X_OK)
  })
}
