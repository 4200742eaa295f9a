/** What a client sends, and what it is told. */
export interface BadRequest {
  readonly name: string
  readonly init: RequestInit
  readonly search?: string
  /** Of the answer. */
  readonly status: number
  /** Of the first error. */
  readonly reason: string
}

const typed = { 'content-type': 'application/json', accept: 'application/graphql-response+json' }
const post = (body: string | Buffer<ArrayBuffer>, headers: Record<string, string> = typed): RequestInit => ({
  headers,
  body,
})
const asks = (query: string, variables?: object): RequestInit => post(JSON.stringify({ query, variables }))
const list = (count: number, item: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => item(i)).join(' ')

const limit = [400, 'GRAPHQL_LIMIT_EXCEEDED'] as const
const invalid = [400, 'GRAPHQL_VALIDATION_FAILED'] as const
const argument = [400, 'INVALID_ARGUMENT'] as const
const body = [400, 'INVALID_BODY'] as const

const cases: readonly [name: string, init: RequestInit, told: readonly [number, string], search?: string][] =
  [
    [
      'a fragment bomb',
      asks(
        `{ me { ...F0 } } ${list(60, (i) => `fragment F${i} on User { id ...F${i + 1} ...F${i + 1} }`)} fragment F60 on User { name }`,
      ),
      limit,
    ],
    [
      'a fragment bomb of objects',
      asks(
        `{ me { ...F0 } } ${list(60, (i) => `fragment F${i} on User { a: friends { ...F${i + 1} } b: friends { ...F${i + 1} } }`)} fragment F60 on User { name }`,
      ),
      limit,
    ],
    [
      'more fragments than may be',
      asks(
        `{ me { ${list(1_000, (i) => `...F${i}`)} } } ${list(1_000, (i) => `fragment F${i} on User { id }`)}`,
      ),
      limit,
    ],
    ['an alias flood', asks(`{ ${list(2_000, (i) => `a${i}: me { id }`)} }`), limit],
    ['a field again and again', asks(`{ me { ${'id '.repeat(100_000)} } }`), limit],
    ['directives', asks(`{ me { id ${'@skip(if: false) '.repeat(2_000)} } }`), limit],
    ['depth', asks(`{ me ${'{ friends '.repeat(5_000)} { id } ${'}'.repeat(5_000)} }`), limit],
    [
      'a list in a list in an argument',
      asks(`{ userByName(name: ${'['.repeat(7_000)}${']'.repeat(7_000)}) { id } }`),
      limit,
    ],
    ['a fragment that spreads itself', asks('{ me { ...A } } fragment A on User { id ...A }'), invalid],
    [
      'fragments in a circle',
      asks(
        '{ me { ...A } } fragment A on User { friends { ...B } } fragment B on User { friends { ...C } } fragment C on User { ...A }',
      ),
      invalid,
    ],
    [
      'a huge variable of a wrong type',
      asks('query($n: String!) { userByName(name: $n) { id } }', {
        n: Array.from({ length: 400_000 }, () => 1),
      }),
      argument,
    ],
    [
      'variables above the limit of bytes',
      asks('query($n: String!) { userByName(name: $n) { id } }', { n: 'x'.repeat(3_000_000) }),
      [413, 'BODY_TOO_LARGE'],
    ],
    [
      'variables as deep as they are long',
      post(`{"query":"{me{id}}","variables":{"a":${'['.repeat(500_000)}${']'.repeat(500_000)}}}`),
      argument,
    ],
    ['a key twice', post('{"query":"{ me { id } }","query":"{ cheapest { upc } }"}'), argument],
    [
      'a key twice, spelled otherwise',
      post('{"query":"{ me { id } }","\\u0071uery":"{ cheapest { upc } }"}'),
      argument,
    ],
    ['a variable twice', post('{"query":"{ me { id } }","variables":{"a":1,"a":2}}'), argument],
    [
      'a parameter twice',
      { method: 'GET', headers: { 'apollo-require-preflight': '1', accept: typed.accept } },
      argument,
      '?query={me{id}}&query={me{name}}',
    ],
    [
      'bytes that are no UTF-8',
      post(Buffer.from('{"query":"{ userByName(name: \\"\xff\\") { id } }"}', 'latin1')),
      body,
    ],
    [
      'bytes that are no UTF-8 in the query string',
      { method: 'GET', headers: { 'apollo-require-preflight': '1', accept: typed.accept } },
      argument,
      '?query={userByName(name:"%FF"){id}}',
    ],
    ['half a body', post('{"query":"{ me'), body],
    ['no body', post(''), body],
    [
      'a body of text',
      post('{"query":"{ me { id } }"}', {
        ...typed,
        'content-type': 'text/plain',
        'apollo-require-preflight': '1',
      }),
      [415, 'UNSUPPORTED_MEDIA_TYPE'],
    ],
    [
      'a form',
      post('query={me{id}}', {
        ...typed,
        'content-type': 'application/x-www-form-urlencoded',
        'apollo-require-preflight': '1',
      }),
      [415, 'UNSUPPORTED_MEDIA_TYPE'],
    ],
    [
      'JSON in UTF-16',
      post(Buffer.from('{"query":"{ me { id } }"}', 'utf16le'), {
        ...typed,
        'content-type': 'application/json; charset=utf-16',
      }),
      [415, 'UNSUPPORTED_MEDIA_TYPE'],
    ],
    [
      'an answer that nobody makes',
      post('{"query":"{ me { id } }"}', { ...typed, accept: 'image/png' }),
      [406, 'NOT_ACCEPTABLE'],
    ],
    [
      'a mutation by GET',
      { method: 'GET', headers: { 'apollo-require-preflight': '1', accept: typed.accept } },
      [405, 'METHOD_NOT_ALLOWED'],
      '?query=mutation{rename(name:"x"){id}}',
    ],
  ]

export const badRequests: readonly BadRequest[] = cases.map(([name, init, [status, reason], search]) => ({
  name,
  init,
  status,
  reason,
  ...(search !== undefined && { search }),
}))
