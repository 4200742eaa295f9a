import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { folderOf } from '../config/files.ts'
import { startBackend } from '../world.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

test('gateway dev waits for a file that runs, and tells each change, each mistake and each request', async (t) => {
  const backend = await startBackend(t)
  const yaml = `server: { listen: "127.0.0.1:0", shutdown: { drainDelay: 0s, gracePeriod: 1s } }
upstreams: { shop: { targets: [{ url: "${backend.url}" }] } }
routes:
  - { id: shop, path: /v1/shop/**, upstream: shop, auth: none, timeout: 5s }
`
  const inFolder = folderOf(t, { 'gateway.yaml': 'routes: 5\n' })
  const child = spawn(process.execPath, [main, 'dev'], {
    cwd: inFolder(''),
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'close')
  t.after(() => child.kill('SIGKILL'))
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  /** Resolves when what was written since the last call fits. */
  let read = 0
  const said = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const match = pattern.exec(out.slice(read))
      if (match !== null) {
        read += match.index + match[0].length
        return match
      }
      await once(child.stdout, 'data')
    }
  }
  await said(
    /gateway\.yaml cannot run; it is tried again when it changes\n {4}gateway\.yaml:1:1: routes: .*expected array/,
  )
  writeFileSync(inFolder('gateway.yaml'), yaml)
  const [, url = ''] = await said(
    /(http:\/\/\S+) serves gateway\.yaml: 1 row in .*\n {4}rest ANY \/v1\/shop\/\*\* shop\n/,
  )
  const answer = await fetch(`${url}/v1/shop/carts?secret=1`)
  await said(
    new RegExp(
      `200 {2}GET /v1/shop/carts {2}[\\d.]+ ms {2}shop -> ${backend.url} {2}${answer.headers.get('x-trace-id') ?? '[0-9a-f]{32}'}\n`,
    ),
  )
  await fetch(`${url}/nowhere`)
  await said(/404 {2}GET \/nowhere .*ROUTE_NOT_FOUND/)
  writeFileSync(inFolder('gateway.yaml'), yaml.replace('5s', '7s'))
  await said(/configuration \d+ runs\n {4}~ routes\/shop\n {8}timeout: 5s -> 7s\n/)
  writeFileSync(inFolder('gateway.yaml'), yaml.replace('upstream: shop', 'upstream: shpo'))
  await said(
    /gateway\.yaml is refused; the old configuration runs on\n {4}gateway\.yaml:4:\d+: routes\[0\]\.upstream: there is no upstream "shpo"; did you mean "shop"\?/,
  )
  assert.equal((await fetch(`${url}/v1/shop/carts`)).status, 200)
  assert.ok(!out.includes('secret=1'))
  child.kill('SIGINT')
  assert.equal((await ended)[0], 0)
})
