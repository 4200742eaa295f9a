import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { curlLine } from '../../examples/demo/samples.ts'
import { freePort } from '../services/free-port.ts'
import { childrenOf, demoFile, isRunning, type RunningDemo, root, startDemo } from './running-demo.ts'

const run = promisify(execFile)

describe('npm run demo', () => {
  let demo: RunningDemo
  let port: number
  before(async () => {
    port = await freePort()
    demo = await startDemo(port)
    assert.match(demo.printed(), /Trivium listens on/, demo.printed())
  })
  after(() => demo.child.kill('SIGKILL'))

  test('prints curl lines that work when pasted, and the same stands in data/demo.json', async () => {
    const { samples } = demoFile()
    assert.ok(samples.length >= 15)
    for (const sample of samples) {
      const line = curlLine(sample)
      assert.ok(demo.printed().includes(line), `not printed: ${line}`)
      const { stdout } = await run('bash', ['-c', `${line} -s -o /dev/null -w '%{http_code}'`])
      assert.equal(Number(stdout), sample.expectStatus, sample.name)
    }
  })

  test('shows each protocol allowed, refused and limited', () => {
    const { samples } = demoFile()
    for (const protocol of ['REST', 'GraphQL', 'gRPC']) {
      const statuses = samples
        .filter(({ name }) => name.startsWith(protocol))
        .map(({ expectStatus }) => expectStatus)
      for (const status of [200, 401, 429]) assert.ok(statuses.includes(status), `${protocol} ${status}`)
    }
  })

  test('answers the query over three subgraphs with data of each', async () => {
    const { url, apiKey } = demoFile()
    const reply = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-API-Key': apiKey },
      body: JSON.stringify({ query: '{ me { id name reviews { body product { name price } } } }' }),
    })
    const { data } = (await reply.json()) as {
      data: { me: { name: string; reviews: { product: { name: string } }[] } }
    }
    assert.equal(data.me.name, 'Ada Lovelace')
    assert.ok(data.me.reviews.length > 0 && data.me.reviews.every(({ product }) => product.name !== ''))
  })

  for (const [file, blocks] of Object.entries(shellBlocks())) {
    for (const { line, script, expected } of blocks) {
      test(`the commands in ${file}, line ${line}, print what stands below them`, async () => {
        const { url, apiKey, jwt, password } = demoFile()
        const env = { ...process.env, URL: url, KEY: apiKey, JWT: jwt, PASSWORD: password }
        const { stdout } = await run('bash', ['-euc', script], { cwd: root, env })
        for (const text of expected) assert.ok(stdout.includes(text), `"${text}" is not in: ${stdout}`)
      })
    }
  }

  test('names the port in one line and ends with 1 when it is taken', async () => {
    const second = await startDemo(port)
    assert.equal(await second.ended, 1)
    assert.match(second.printed(), new RegExp(`^demo: .*port ${port} on 127.0.0.1 is taken.*\n$`))
  })

  test('ends on Ctrl-C with 0, and all of its children end with it', async () => {
    const children = childrenOf(demo.child.pid ?? 0)
    assert.equal(children.length, 9)
    demo.child.kill('SIGINT')
    assert.equal(await demo.ended, 0)
    assert.deepEqual(children.filter(isRunning), [])
  })
})

test('a backend that dies ends the demo with 1 and one line that names it', async (t) => {
  const demo = await startDemo(await freePort())
  t.after(() => demo.child.kill('SIGKILL'))
  const children = childrenOf(demo.child.pid ?? 0)
  const before = demo.printed().length
  process.kill(children[2] ?? 0, 'SIGKILL')
  assert.equal(await demo.ended, 1)
  assert.match(demo.printed().slice(before), /^demo: [\w-]+ died: .*\n$/)
  assert.deepEqual(children.filter(isRunning), [])
})

test('a port that something else listens on ends the demo before anything is left running', async (t) => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const { port } = server.address() as { port: number }
  const demo = await startDemo(port)
  assert.equal(await demo.ended, 1)
  assert.match(demo.printed(), /is taken/)
})

/** `sh` blocks of the documents, each with the lines of the `output` block that follows it. */
function shellBlocks(): Record<string, { line: number; script: string; expected: string[] }[]> {
  const files = [
    'README.md',
    ...readdirSync(`${root}/docs`)
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`),
  ]
  return Object.fromEntries(
    files.map((file) => {
      const text = readFileSync(`${root}/${file}`, 'utf8')
      const found = [...text.matchAll(/^```sh\n(.*?)^```\n(?:```output\n(.*?)^```)?/gms)]
      return [
        file,
        found.map((match) => ({
          line: text.slice(0, match.index).split('\n').length,
          script: match[1] ?? '',
          expected: (match[2] ?? '').split('\n').filter((line) => line !== ''),
        })),
      ]
    }),
  )
}
