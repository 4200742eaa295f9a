import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { folderOf } from '../../config/files.ts'
import { mirrored, mirrorFigures } from '../../traffic/mirror-world.ts'
import { startBackend, startGateway } from '../../world.ts'

/** A subgraph that answers everything alike, and keeps what it was asked. */
async function startSubgraph(t: TestContext, answer: string) {
  const asked: string[] = []
  const backend = await startBackend(t, async (req, res) => {
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk as Buffer)
    asked.push(Buffer.concat(chunks).toString())
    res.setHeader('Content-Type', 'application/json')
    res.end(answer)
  })
  return { ...backend, asked }
}

async function open(t: TestContext, [one, two]: readonly [string, string]) {
  const sdl = 'type Query { a: String } type Mutation { set(a: String): String }'
  const schema = folderOf(t, { 'a.graphql': sdl })('a.graphql')
  const first = await startSubgraph(t, one)
  const second = await startSubgraph(t, two)
  const { url, logged } = await startGateway(t, {
    plugins: ['metrics'],
    upstreams: { first: { targets: [{ url: first.url }] }, second: { targets: [{ url: second.url }] } },
    graphql: {
      auth: 'none',
      subgraphs: { a: { upstream: 'first', schema, mirror: { upstream: 'second', compare: true } } },
    },
  })
  const figures = () => mirrorFigures(url, 'graphql/a')
  const ask = async (query: string): Promise<unknown> => {
    const init = { method: 'POST', headers: { 'Content-Type': 'application/json' } }
    const reply = await fetch(`${url}/graphql`, { ...init, body: JSON.stringify({ query }) })
    return ((await reply.json()) as { data: unknown }).data
  }
  return {
    first,
    second,
    ask,
    logged,
    figures,
    mirrored: (count: number) => mirrored(url, 'graphql/a', count),
  }
}

test('fetches are mirrored as they are: those of queries, and those of mutations', async (t) => {
  const set = '{"data":{"set":"new"}}'
  const { ask, first, second, mirrored } = await open(t, [set, set])
  assert.deepEqual(await ask('mutation { set(a: "secret") }'), { set: 'new' })
  assert.equal((await mirrored(1)).same, 1)
  assert.equal(first.asked.length, 1)
  assert.deepEqual(second.asked, first.asked)
})

test('what another schema would answer is found out before it is asked for', async (t) => {
  const { ask, mirrored, logged } = await open(t, ['{"data":{"a":"one"}}', '{"data":{"a":"two"}}'])
  assert.deepEqual(await ask('{ a }'), { a: 'one' })
  assert.equal((await mirrored(1)).different, 1)
  const line = await logged((one) => one.difference === 'body')
  assert.deepEqual([line.bytes, line['mirror.bytes']], [20, 20])
  assert.doesNotMatch(JSON.stringify(line), /one|two/)
})

test('a fetch that is too large is not mirrored', async (t) => {
  const set = '{"data":{"set":"new"}}'
  const { ask, first, second, figures } = await open(t, [set, set])
  assert.deepEqual(await ask(`mutation { set(a: "${'x'.repeat(70_000)}") }`), { set: 'new' })
  assert.equal((await figures()).skipped, 1)
  assert.deepEqual([first.asked.length, second.asked.length], [1, 0])
})

test('an answer that the gateway cannot read is compared like any other', async (t) => {
  const { ask, mirrored } = await open(t, ['<html>', '<html>'])
  assert.deepEqual(await ask('{ a }'), { a: null })
  assert.equal((await mirrored(1)).same, 1)
})
