/** One request to try, as it stands in data/demo.json. */
export interface Sample {
  readonly name: string
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Text to send; null for none. */
  readonly body: string | null
  readonly expectStatus: number
}

/** Who may call: made anew by each start of the demo. */
export interface Credentials {
  readonly apiKey: string
  readonly jwt: string
  /** A key whose limits are used up, so that 429 can be seen at once. */
  readonly trialKey: string
  /** Of the user `ada`, for the gateway's own issuer. */
  readonly password: string
}

/** Requests that show each protocol answering, refusing and limiting. */
export function demoSamples(url: string, { apiKey, jwt, trialKey, password }: Credentials): Sample[] {
  const key = { 'X-API-Key': apiKey }
  const token = { Authorization: `Bearer ${jwt}` }
  const json = { 'Content-Type': 'application/json' }
  const me = JSON.stringify({ query: '{ me { id name reviews { body product { name price } } } }' })
  const joined = JSON.stringify({
    query: '{ user(id: 42) { name books { title rating } orders { total items { product { name } } } } }',
  })
  const watch = JSON.stringify({
    query: 'subscription { reviewWritten(after: 3, first: 2) { body author { name } } }',
  })
  const parts = JSON.stringify({ query: '{ me { name ... @defer { reviews { body } } } }' })
  const deep = JSON.stringify({
    query: `{ me ${'{ reviews { author '.repeat(10)}{ id }${' } }'.repeat(10)} }`,
  })
  const book = JSON.stringify({ title: 'The Mythical Man-Month', author: 'Fred Brooks' })
  const get = (name: string, path: string, headers: Sample['headers'], expectStatus: number): Sample => {
    return { name, method: 'GET', url: url + path, headers, body: null, expectStatus }
  }
  const post = (
    name: string,
    path: string,
    headers: Sample['headers'],
    body: string,
    expectStatus: number,
  ): Sample => {
    return { name, method: 'POST', url: url + path, headers: { ...json, ...headers }, body, expectStatus }
  }
  const login = JSON.stringify({ username: 'ada', password })
  return [
    post('REST: a token for a user name and password', '/auth/login', {}, login, 200),
    get('REST: a user, version 1', '/v1/users/42', key, 200),
    get('REST: the same user, version 2', '/v2/users/42', token, 200),
    get('REST: orders, from two instances in turn', '/v1/orders', key, 200),
    get('REST: what the backend is told about you', '/v1/users/whoami', token, 200),
    get('REST: an event stream', '/v1/users/events?count=3', key, 200),
    get('REST: one answer out of REST, GraphQL and gRPC', '/v1/home/42', key, 200),
    get('REST: a stored GraphQL operation', '/v1/profiles/42', key, 200),
    get('REST, refused: no credentials', '/v1/users/42', {}, 401),
    get('REST, refused: the role admin is missing', '/v1/reports', key, 403),
    get('REST, refused: no such route', '/v3/users/42', key, 404),
    get('REST, limited: the trial key has used up its limit', '/v1/users/42', { 'X-API-Key': trialKey }, 429),
    post('GraphQL: one query over three subgraphs', '/graphql', key, me, 200),
    post('GraphQL: a gRPC service and an HTTP API in the same query', '/graphql', key, joined, 200),
    post('GraphQL: a subscription', '/graphql', { ...key, Accept: 'text/event-stream' }, watch, 200),
    post('GraphQL: an answer in parts', '/graphql', { ...key, Accept: 'multipart/mixed' }, parts, 200),
    post('GraphQL, refused: no credentials', '/graphql', {}, me, 401),
    post('GraphQL, refused: too deep', '/graphql', key, deep, 400),
    post('GraphQL, limited', '/graphql', { 'X-API-Key': trialKey }, me, 429),
    get('gRPC: books of a shelf', '/v1/shelves/1/books', key, 200),
    get('gRPC: one book', '/v1/shelves/1/books/2', key, 200),
    post('gRPC: a new book', '/v1/shelves/1/books', key, book, 200),
    get('gRPC: a server stream as a JSON array', '/v1/shelves/1/books:watch', key, 200),
    get(
      'gRPC: the same as NDJSON',
      '/v1/shelves/1/books:watch',
      { ...key, Accept: 'application/x-ndjson' },
      200,
    ),
    get('gRPC, refused: no such book, with details', '/v1/shelves/1/books/999', key, 404),
    get('gRPC, refused: no credentials', '/v1/shelves/1/books', {}, 401),
    get('gRPC, limited', '/v1/shelves/1/books', { 'X-API-Key': trialKey }, 429),
  ]
}

/** A sample as a line for a POSIX shell. */
export function curlLine(sample: Sample): string {
  const parts = ['curl -i']
  if (sample.method !== 'GET') parts.push(`-X ${sample.method}`)
  for (const [name, value] of Object.entries(sample.headers)) parts.push(`-H ${quote(`${name}: ${value}`)}`)
  if (sample.body !== null) parts.push(`-d ${quote(sample.body)}`)
  parts.push(quote(sample.url))
  return parts.join(' ')
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
