import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { answerOf, type Door, frontEndOver, openDoor } from '../harness.ts'
import { inAllPlaces, type Subgraph, startSubgraph } from '../subgraphs.ts'

/**
 * GraphQL over HTTP, September 2026: section "Status codes" for application/graphql-response+json, the appendix on application/json.
 * Where the specification recommends 422 the audit of its authors asks for 400.
 */
const cases: [name: string, request: object, json: number, graphql: number][] = [
  ['data', { query: '{ me { id } }' }, 200, 200],
  ['data and errors', { query: '{ me { id } broken }' }, 200, 294],
  ['no data but null, and errors', { query: '{ broken }' }, 200, 294],
  ['an operation that does not parse', { query: '{' }, 200, 400],
  ['an operation that is not valid', { query: '{ nobody }' }, 200, 400],
  ['fragments in a circle', { query: '{ me { ...A } } fragment A on User { ...A }' }, 200, 400],
  ['an operation that is not there', { query: 'query A { me { id } }', operationName: 'B' }, 200, 400],
  ['variables that do not fit', { query: 'query($n: String!) { userByName(name: $n) { id } }' }, 200, 400],
  ['a member that is no GraphQL', { query: 1 }, 400, 400],
  [
    'an operation above a limit',
    { query: `{ me ${'{ friends '.repeat(20)}{ id }${' }'.repeat(20)} }` },
    400,
    400,
  ],
  ['members that nobody knows', { query: '{ me { id } }', nonce: 1 }, 200, 200],
]

describe('the status of an answer', () => {
  let accounts: Subgraph
  let door: Door

  before(async () => {
    accounts = await startSubgraph('accounts')
    const all = inAllPlaces(accounts)
    door = await openDoor(await frontEndOver(all))
  })
  after(() => Promise.all([door.close(), accounts.close()]))

  for (const [name, request, json, graphql] of cases) {
    it(`of ${name} is ${json} as JSON and ${graphql} as an answer of GraphQL`, async () => {
      const statuses: number[] = []
      for (const accept of ['application/json', 'application/graphql-response+json']) {
        const headers = { 'content-type': 'application/json', accept }
        const response = await door.fetch({ method: 'POST', headers, body: JSON.stringify(request) })
        statuses.push(response.status)
        assert.equal(response.headers.get('content-type'), `${accept}; charset=utf-8`)
        const { errors, data } = await answerOf(response)
        assert.ok(errors.length > 0 || data !== undefined)
      }
      assert.deepEqual(statuses, [json, graphql])
    })
  }
})
