import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { answerOf, type Door, frontEndOver, openDoor } from '../harness.ts'
import { longestPauseMs } from '../longest-pause.ts'
import { inAllPlaces, type Subgraph, startSubgraph } from '../subgraphs.ts'

const byteLimit = 2_000_000
const list = (count: number, item: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => item(i)).join(',')

/** Bodies just below the limit of bytes, each made to be dear to read; what documents can do is in limits.test.ts. */
const hostile: [name: string, body: string, answer: RegExp][] = [
  [
    'a million of numbers in a variable',
    `{"query":"query($m:[Int]){me{id}}","variables":{"m":[${list(900_000, () => '1')}]}}`,
    /never used/,
  ],
  [
    'a million of wrong values in a variable',
    `{"query":"query($n:String!){userByName(name:$n){id}}","variables":{"n":[${list(900_000, () => '1')}]}}`,
    /String cannot represent/,
  ],
  [
    'variables by the hundred thousand',
    `{"query":"query($n:String!){userByName(name:$n){id}}","variables":{"n":"Ada",${list(120_000, (i) => `"v${i}":1`)}}}`,
    /^\{"userByName"/,
  ],
  [
    'one member again and again',
    `{"query":"{me{id}}","variables":{${list(200_000, () => '"a":1')}}}`,
    /two members of one name/,
  ],
  [
    'members by the hundred thousand, spelled otherwise than we would',
    `{ "query" : "{me{id}}", "variables" : { ${list(100_000, (i) => ` "v${i}" : 1`)} } }`,
    /^\{"me"/,
  ],
  [
    'objects by the hundred thousand',
    `{"query":"{me{id}}","variables":{"a":[${list(300_000, () => '{}')}]} }`,
    /^\{"me"/,
  ],
  [
    'variables as deep as the body is long',
    `{"query":"{me{id}}","variables":{"a":${'['.repeat(900_000)}${']'.repeat(900_000)}}}`,
    /levels deep/,
  ],
  ['a text of escapes', `{"query":"{me{id}}","variables":{"a":"${'\\"'.repeat(900_000)}"} }`, /^\{"me"/],
  [
    'a field whose name is the body',
    `{"query":"{ ${'a'.repeat(1_900_000)} }"}`,
    /^Cannot query field "a{900,}…?/,
  ],
  [
    'an argument whose name is the body',
    `{"query":"{ me(${'a'.repeat(1_900_000)}: 1) { id } }"}`,
    /^Unknown argument/,
  ],
  ['a comment', `{"query":"${'#\\n'.repeat(600_000)}{ me { id } }"}`, /^\{"me"/],
  ['commas', `{"query":"{ me { id } ${','.repeat(1_900_000)} }"}`, /^\{"me"/],
  [
    'a block string',
    `{"query":"{ userByName(name: \\"\\"\\"${'\\n  a'.repeat(380_000)}\\"\\"\\") { id } }"}`,
    /^\{"userByName":null\}/,
  ],
  [
    'an operation name',
    `{"query":"query A{me{id}}","operationName":"${'B'.repeat(1_900_000)}"}`,
    /There is no operation named "B+/,
  ],
]

describe('requests made to hold up others', () => {
  let accounts: Subgraph
  let door: Door

  before(async () => {
    accounts = await startSubgraph('accounts')
    const all = inAllPlaces(accounts)
    const batching = { maxOperations: 10 }
    door = await openDoor(await frontEndOver(all, { batching }))
  })
  after(() => Promise.all([door.close(), accounts.close()]))

  const send = (body: string) =>
    door.fetch({ method: 'POST', headers: { 'content-type': 'application/json' }, body })

  for (const [name, body, answer] of hostile) {
    it(`does not hold up others for 300 ms, and is answered: ${name}`, async () => {
      assert.ok(body.length <= byteLimit, `${body.length}`)
      let text = ''
      const longestMs = await longestPauseMs(async () => {
        text = await (await send(body)).text()
      })
      const { data, errors = [] } = JSON.parse(text)
      assert.match(errors[0]?.message ?? JSON.stringify(data), answer)
      assert.ok(text.length < 100_000, `an answer of ${text.length} bytes`)
      assert.ok(longestMs < 300, `the event loop stood still for ${longestMs.toFixed(0)} ms`)
    })
  }

  it('reports 20 mistakes of a document and no more', async () => {
    const fields = Array.from({ length: 200 }, (_, i) => `x${i}`).join(' ')
    const document = await answerOf(await send(JSON.stringify({ query: `{ me { ${fields} } }` })))
    assert.ok(document.errors.length <= 21, `${document.errors.length}`)
  })

  it('lets others in between the operations of a batch', async () => {
    const dear = Array.from({ length: 60 }, (_, i) => `fragment F${i} on User { ${'id '.repeat(100)} }`)
    const spreads = dear.map((_, i) => `...F${i}`).join(' ')
    const batch = Array.from({ length: 10 }, (_, i) => ({
      query: `query Q${i} { me { ${spreads} } } ${dear.join(' ')}`,
    }))
    const longestMs = await longestPauseMs(async () => {
      const response = await send(JSON.stringify(batch))
      assert.equal(((await response.json()) as unknown[]).length, 10)
    })
    assert.ok(longestMs < 300, `the event loop stood still for ${longestMs.toFixed(0)} ms`)
  })

  it('remembers the mistakes of a document, and tells them to each as each may know them', async () => {
    const query = `{ me { ${'id '.repeat(200)} nme } }`
    const cpuOf = async (): Promise<string> => {
      const { errors } = await answerOf(await send(JSON.stringify({ query })))
      return errors[0]?.message ?? ''
    }
    assert.equal(await cpuOf(), await cpuOf())
    assert.match(await cpuOf(), /Did you mean "name"/)
  })
})
