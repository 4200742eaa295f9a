import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, before, describe, it } from 'node:test'
import { type Door, frontEndOver, openDoor } from '../harness.ts'
import { inAllPlaces, type Subgraph, startSubgraph } from '../subgraphs.ts'

interface Case {
  readonly method?: 'GET' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  /** Status and reason. */
  readonly answer: string
}

const me = JSON.stringify({ query: '{ me { id } }' })
const browser = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0' }
const refused = '400 CSRF_REFUSED'

/** What a page can do without a preflight: Fetch Standard, "CORS-safelisted request-header" and "no-cors". */
const cases: Readonly<Record<string, Case>> = {
  'an image, a script or a link on a page of another site': {
    headers: { ...browser, 'sec-fetch-site': 'cross-site', referer: 'https://evil.example/' },
    answer: refused,
  },
  'the same from a neighbour of our site': {
    headers: { ...browser, 'sec-fetch-site': 'same-site' },
    answer: refused,
  },
  'the same, its referrer hidden': {
    headers: { ...browser, 'sec-fetch-site': 'cross-site' },
    answer: refused,
  },
  'an old browser with a referrer': { headers: { referer: 'https://evil.example/' }, answer: refused },
  'an old browser with an origin': { headers: { origin: 'https://evil.example' }, answer: refused },
  'an old browser, or one over plain HTTP, its referrer hidden': { headers: browser, answer: refused },
  'a header for preflights that is empty': {
    headers: { ...browser, 'apollo-require-preflight': '' },
    answer: refused,
  },
  'a site that Fetch Metadata does not know': {
    headers: { 'sec-fetch-site': 'same-origin, x' },
    answer: refused,
  },
  'a page of our own': { headers: { ...browser, 'sec-fetch-site': 'same-origin' }, answer: '200' },
  'an address that the user typed': { headers: { ...browser, 'sec-fetch-site': 'none' }, answer: '200' },
  'a script of another site that was allowed a header by CORS': {
    headers: { ...browser, 'sec-fetch-site': 'cross-site', 'apollo-require-preflight': '1' },
    answer: '200',
  },
  'the same with the header that Apollo Client sends': {
    headers: { ...browser, 'sec-fetch-site': 'cross-site', 'x-apollo-operation-name': 'Me' },
    answer: '200',
  },
  'no browser': { headers: { 'user-agent': 'curl/8.14.1' }, answer: '200' },
  'no browser, nameless': { headers: {}, answer: '200' },
  'a POST of text': {
    method: 'POST',
    headers: { ...browser, origin: 'https://evil.example', 'content-type': 'text/plain' },
    answer: refused,
  },
  'a POST of text that mentions JSON': {
    method: 'POST',
    headers: { ...browser, 'content-type': 'text/plain; a=application/json' },
    answer: refused,
  },
  'a POST of a form': {
    method: 'POST',
    headers: {
      ...browser,
      'sec-fetch-site': 'cross-site',
      'content-type': 'application/x-www-form-urlencoded',
    },
    answer: refused,
  },
  'a POST of nothing in particular': {
    method: 'POST',
    headers: { ...browser, 'sec-fetch-site': 'cross-site' },
    answer: refused,
  },
  'a multipart form, whoever sends it': {
    method: 'POST',
    headers: { 'content-type': 'Multipart/Form-Data; boundary=x' },
    answer: refused,
  },
  'a POST of text by no browser': {
    method: 'POST',
    headers: { 'content-type': 'text/plain' },
    answer: '415 UNSUPPORTED_MEDIA_TYPE',
  },
  'a POST of JSON from a page that CORS let in': {
    method: 'POST',
    headers: { ...browser, 'sec-fetch-site': 'cross-site', 'content-type': 'application/json' },
    answer: '200',
  },
}

describe('requests that another site could have forged', () => {
  let accounts: Subgraph
  let door: Door

  before(async () => {
    accounts = await startSubgraph('accounts')
    const all = inAllPlaces(accounts)
    door = await openDoor(await frontEndOver(all))
  })
  after(() => Promise.all([door.close(), accounts.close()]))

  for (const [name, { method = 'GET', headers, answer }] of Object.entries(cases)) {
    it(`${answer}: ${name}`, async () => {
      accounts.requests.length = 0
      assert.equal(await ask({ method, headers }), answer)
      assert.equal(accounts.requests.length, answer === '200' ? 1 : 0)
    })
  }

  /** Sends these headers and no others, which `fetch` would not. */
  function ask({ method, headers }: Pick<Case, 'headers'> & { method: string }): Promise<string> {
    const search = method === 'GET' ? '?query={me{id}}' : ''
    return new Promise((resolve, reject) => {
      const sent = request(door.url + search, { method, headers, agent: false }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (piece: string) => {
          text += piece
        })
        response.on('end', () => {
          const reason = JSON.parse(text).errors?.[0].extensions.reason
          resolve(`${response.statusCode}${reason === undefined ? '' : ` ${reason}`}`)
        })
      })
      sent.on('error', reject)
      sent.end(method === 'POST' ? me : '')
    })
  }
})
