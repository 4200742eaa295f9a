import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { isAbsolute } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { ensureProgram, findProgram } from './programs.ts'

test('answers with a path at which the program runs', async () => {
  const path = await ensureProgram('redis-server')
  assert.ok(isAbsolute(path))
  assert.match((await promisify(execFile)(path, ['--version'])).stdout, /Redis/i)
})

test('names the program and its package when it is missing and may not be installed', async () => {
  await assert.rejects(
    ensureProgram('postgres', { folders: [], mayInstall: false }),
    /^Error: postgres is missing: install the Debian package postgresql .*PATH$/,
  )
})

test('does not take a folder or a file that may not be run for a program', async () => {
  const folders = [import.meta.dirname, `${import.meta.dirname}/..`]
  assert.equal(await findProgram('programs.ts', folders), undefined)
  assert.equal(await findProgram('services', folders), undefined)
})
