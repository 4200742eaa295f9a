import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { folderOf } from '../config/files.ts'
import { issuerConfig, post } from '../issuer/issuer-world.ts'
import { startGateway } from '../world.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

function usersHash(input: string, ...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'users', 'hash', ...args], {
    input,
    encoding: 'utf8',
    timeout: 60_000,
  })
  return { code: status, out: stdout, err: stderr }
}

test('gateway users hash prints what a users file needs; a change of the file is a change of the configuration', async (t) => {
  const path = folderOf(t, {})
  const { code, out, err } = usersHash('pass phrase of zoe\n')
  assert.equal(code, 0, err)
  assert.match(out, /^"\$scrypt\$ln=17,r=8,p=1\$\S+"\n$/)
  writeFileSync(path('users.yaml'), `- {name: zoe, passwordHash: ${out}}`)
  const issuer = issuerConfig({ users: [], usersFile: 'users.yaml' })
  writeFileSync(
    path('gateway.yaml'),
    JSON.stringify({ server: { listen: '127.0.0.1:0', shutdown: { drainDelay: '0s' } }, auth: { issuer } }),
  )
  const { url, logged } = await startGateway(t, {}, { file: path('gateway.yaml'), watch: true })
  const typed = { username: 'zoe', password: 'pass phrase of zoe' }
  assert.equal((await post(url, '/auth/login', typed)).status, 200)
  writeFileSync(path('users.yaml'), `- name: zoe\n  disabled: true\n  passwordHash: ${out}`)
  await logged((line) => line.message === 'configuration applied')
  assert.equal((await post(url, '/auth/login', typed)).status, 401)
})

test('gateway users hash takes no password from the command line, none that is too short, and none that nobody can type', () => {
  for (const [input, args, says] of [
    ['', ['hunter2-hunter2'], /never from the command line/],
    ['seven77\n', [], /needs 8 characters at least/],
    ['', [], /1 to 1,024 bytes/],
    [`${'x'.repeat(1_025)}\n`, [], /1 to 1,024 bytes/],
    ['a\0bcdefghij\n', [], /none of control/],
  ] as const) {
    const { code, out, err } = usersHash(input, ...args)
    assert.equal(code, 1)
    assert.equal(out, '')
    assert.match(err, says)
    assert.equal(err.includes('hunter2'), false)
  }
})
