import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { folderOf } from '../config/files.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** Runs a command in a terminal of so many columns, made by `script` of util-linux. */
function inTerminal(columns: number, line: string, env: Readonly<Record<string, string>> = {}): string {
  const command = `stty cols ${columns}; ${process.execPath} ${main} ${line}`
  const { stdout } = spawnSync('script', ['-qec', command, '/dev/null'], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, TERM: 'xterm', ...env },
    timeout: 60_000,
  })
  return stdout.replaceAll('\r', '')
}

const yaml = `
upstreams: { u: { targets: [{ url: http://127.0.0.1:3000 }] } }
routes:
  - { id: a-route-with-quite-a-long-name, path: /v1/some/where/deep/in/the/tree/**, upstream: u, auth: none, plugins: [compression, securityHeaders] }
`

test('tables are cut to the width of a terminal, and stand in colours unless NO_COLOR is set', (t) => {
  const file = folderOf(t, { 'a.yaml': yaml })('a.yaml')
  const coloured = inTerminal(70, `routes list --file ${file}`)
  const lines = stripVTControlCharacters(coloured).trimEnd().split('\n')
  assert.equal(lines.length, 2)
  for (const line of lines) assert.ok(line.length <= 70, line)
  assert.match(lines[1] ?? '', /…/)
  assert.ok(coloured.includes('\x1b['), 'in colours')
  const plain = inTerminal(70, `routes list --file ${file}`, { NO_COLOR: '1' })
  assert.ok(!plain.includes('\x1b['))
  assert.ok(!inTerminal(400, `routes list --file ${file}`).includes('…'), 'whole where there is room')
})
