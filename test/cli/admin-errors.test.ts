import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { hashApiKey } from '../../src/plugins/identity/api-key.ts'
import { folderOf } from '../config/files.ts'
import { freePort } from '../services/free-port.ts'
import { startGateway } from '../world.ts'
import { runHere } from './here.ts'

const [reader, writer] = ['gwa_reader', 'gwa_writer']
const yaml = `
server: { listen: "127.0.0.1:0" }
admin:
  tokens:
    - { name: reader, hash: "${hashApiKey(reader)}", scopes: [read] }
    - { name: writer, hash: "${hashApiKey(writer)}", scopes: [read, write] }
routes: [{ id: r, path: /r, auth: none, respond: { status: 200 } }]
`

describe('what the admin API refuses is said with what to do', () => {
  test('no gateway, no token, a token that may not, and a configuration that somebody changed', async (t) => {
    const inFolder = folderOf(t, { 'gateway.yaml': yaml })
    const closed = await freePort()
    const clock = { now: Date.now() }
    const { url } = await startGateway(
      t,
      {},
      { file: inFolder('gateway.yaml'), watch: false, now: () => clock.now },
    )
    const run = (line: string, ...more: string[]) =>
      runHere([...line.split(' '), '--url', url, ...more], inFolder(''))
    const guesser = (line: string) => run(line, '--token', 'gwa_guess')
    for (const [finished, says] of [
      [
        await runHere(['status', '--url', `http://127.0.0.1:${closed}`]),
        /no gateway answers at http:\/\/127\.0\.0\.1:\d+\/admin \(ECONNREFUSED\): is one running there\? `gateway start` starts one; --url/,
      ],
      [
        await run('routes list'),
        /answered 401: .*--token or GATEWAY_ADMIN_TOKEN; `gateway admin token NAME` makes one/,
      ],
      [
        await run('routes remove r', '--token', reader),
        /answered 403: The token "reader" has not the scope "write"\. What a token may do stands in admin\.tokens/,
      ],
      [
        await run('apply', '--token', writer, '--if-match', '"old"'),
        /answered 412: .*gateway versions.*--force does it regardless/,
      ],
      [
        await run('apply', '--token', writer, '--if-match', '"old"', '--force'),
        /--force and --if-match contradict each other/,
      ],
      [await run('rollback x', '--token', writer), /versions are numbers/],
      [
        await run('routes add s --path /s --upstream nope', '--token', writer),
        /answered 400: [\s\S]*\n {2}routes\[1\]\.upstream: there is no upstream "nope"/,
      ],
      [
        await run('routes add r --path /s', '--token', writer),
        /^gateway: there is a "r" in routes already; gateway routes set r changes it/,
      ],
      [await run('routes set r', '--token', writer), /nothing to change: gateway help routes set/],
      [
        await runHere(['status', '--url', `${url}/amdin`, '--token', writer]),
        /\/amdin answered 404: this is no admin API; say where an admin API is with --url/,
      ],
    ] as const) {
      assert.deepEqual([finished.code, finished.out], [1, ''])
      assert.match(finished.err, says)
    }
    for (let i = 0; i < 10; i++)
      assert.match(
        (await guesser('routes list')).err,
        /answered 401: The token is not one of the admin API\./,
      )
    assert.match(
      (await guesser('routes list')).err,
      /answered 429: Too many attempts .* Try again in \d+ s\.\n$/,
    )
    clock.now += 60_000
    writeFileSync(inFolder('gateway.yaml'), yaml.replace('status: 200', 'status: 204'))
    assert.equal((await run('diff', '--token', reader)).code, 2)
    assert.match(
      (await run('apply', '--token', writer, '--dry-run')).out,
      /^~ routes\/r\n {4}respond\.status: 200 -> 204\ndry run/,
    )
    assert.equal((await fetch(`${url}/r`)).status, 200)
    assert.equal((await run('apply', '--token', writer, '--force')).code, 0)
    assert.equal((await fetch(`${url}/r`)).status, 204)
    const same = await run('diff', '--token', reader)
    assert.deepEqual([same.code, same.out], [0, 'no difference\n'])
  })
})
