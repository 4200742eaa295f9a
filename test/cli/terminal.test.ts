import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { folderOf } from '../config/files.ts'
import { startBackend } from '../world.ts'
import { runHere } from './here.ts'

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

test('what others wrote, and what a gateway refuses, does not steer the terminal', async (t) => {
  const version = { version: 3, createdAt: '2027-01-01T00:00:00Z', author: 'ops', text: '', changes: [] }
  const { url } = await startBackend(t, (req, res) => {
    if (req.url?.endsWith('/3')) res.end(JSON.stringify({ ...version, message: 'tidy\x1b[2J\x1b]0;x\x07' }))
    else
      res
        .writeHead(404)
        .end(JSON.stringify({ detail: 'no\x1b[2Jne', errors: [{ field: '/a', detail: '\x9b2J' }] }))
  })
  for (const number of ['3', '4']) {
    const { out, err } = await runHere(['versions', number, '--url', `${url}/admin`])
    const lines = (out + err).split('\n')
    assert.match(lines[0] ?? '', /tidy·\[2J|no·\[2Jne/)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what must not come out.
    for (const line of lines) assert.doesNotMatch(line, /[\x00-\x1f\x7f-\x9f]/)
  }
})
