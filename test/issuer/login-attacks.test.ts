import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { rawExchange, startGateway } from '../world.ts'
import { cheapHash, issuerConfig, passwords, post, reasonOf, users } from './issuer-world.ts'

/** None of these is about guessing. */
const lenient = { lockout: { perUserAndAddress: 1_000, perAddress: 1_000, perUser: 1_000 } }

interface BodyCase {
  readonly name: string
  readonly body: string | Buffer
  readonly headers?: Record<string, string>
  readonly status: number
  readonly reason: string
}

const right = JSON.stringify({ username: 'ann', password: passwords.ann })
const withPassword = (password: string): string => `{"username":"ann","password":${password}}`

/** What is refused before anybody looks for the user: RFC 8259 section 4 (names), RFC 8265 section 4.2 (passwords), ASVS 4.0 V2.1.2, V13.2.5. */
const bodies: readonly BodyCase[] = [
  {
    name: 'a form, which any page can post',
    body: `username=ann&password=x`,
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    status: 415,
    reason: 'UNSUPPORTED_MEDIA_TYPE',
  },
  {
    name: 'JSON that says it is text, which any page can post',
    body: right,
    headers: { 'Content-Type': 'text/plain' },
    status: 415,
    reason: 'UNSUPPORTED_MEDIA_TYPE',
  },
  {
    name: 'JSON in a multipart form',
    body: right,
    headers: { 'Content-Type': 'multipart/form-data; boundary=x' },
    status: 415,
    reason: 'UNSUPPORTED_MEDIA_TYPE',
  },
  {
    name: 'JSON with a second media type',
    body: right,
    headers: { 'Content-Type': 'text/plain, application/json' },
    status: 415,
    reason: 'UNSUPPORTED_MEDIA_TYPE',
  },
  {
    name: 'JSON in another charset',
    body: right,
    headers: { 'Content-Type': 'application/json; charset=utf-16' },
    status: 415,
    reason: 'UNSUPPORTED_MEDIA_TYPE',
  },
  {
    name: 'a packed body',
    body: gzipSync(right),
    headers: { 'Content-Encoding': 'gzip' },
    status: 415,
    reason: 'UNSUPPORTED_MEDIA_TYPE',
  },
  { name: 'no JSON', body: '{', status: 400, reason: 'INVALID_BODY' },
  { name: 'an empty body', body: '', status: 400, reason: 'INVALID_BODY' },
  { name: 'null', body: 'null', status: 400, reason: 'INVALID_BODY' },
  { name: 'a list', body: `[${right}]`, status: 400, reason: 'INVALID_BODY' },
  { name: 'a text', body: '"ann"', status: 400, reason: 'INVALID_BODY' },
  {
    name: 'invalid UTF-8',
    body: Buffer.from('{"username":"ann","password":"\xff"}', 'latin1'),
    status: 400,
    reason: 'INVALID_BODY',
  },
  { name: 'two users', body: `{"username":"bob",${right.slice(1)}`, status: 400, reason: 'INVALID_BODY' },
  {
    name: 'two passwords, one escaped',
    body: `{"p\\u0061ssword":"x",${right.slice(1)}`,
    status: 400,
    reason: 'INVALID_BODY',
  },
  {
    name: 'a member twice inside another',
    body: `{"x":{"a":1,"a":2},${right.slice(1)}`,
    status: 400,
    reason: 'INVALID_BODY',
  },
  {
    name: 'more than 8 KiB',
    body: JSON.stringify({ username: 'ann', password: 'x', more: 'x'.repeat(8_192) }),
    status: 413,
    reason: 'BODY_TOO_LARGE',
  },
  { name: 'no password', body: '{"username":"ann"}', status: 400, reason: 'INVALID_ARGUMENT' },
  { name: 'no user', body: '{"password":"x"}', status: 400, reason: 'INVALID_ARGUMENT' },
  {
    name: 'a password in the prototype',
    body: '{"username":"ann","__proto__":{"password":"x"}}',
    status: 400,
    reason: 'INVALID_ARGUMENT',
  },
  { name: 'an empty password', body: withPassword('""'), status: 400, reason: 'INVALID_ARGUMENT' },
  { name: 'a password that is null', body: withPassword('null'), status: 400, reason: 'INVALID_ARGUMENT' },
  { name: 'a password that is true', body: withPassword('true'), status: 400, reason: 'INVALID_ARGUMENT' },
  {
    name: 'a password that is a number',
    body: withPassword('12345678'),
    status: 400,
    reason: 'INVALID_ARGUMENT',
  },
  {
    name: 'a password that is a list',
    body: withPassword(JSON.stringify([passwords.ann])),
    status: 400,
    reason: 'INVALID_ARGUMENT',
  },
  {
    name: 'a password that is a query',
    body: withPassword('{"$ne":null}'),
    status: 400,
    reason: 'INVALID_ARGUMENT',
  },
  {
    name: 'a password of 1,025 bytes',
    body: withPassword(`"${'x'.repeat(1_025)}"`),
    status: 400,
    reason: 'INVALID_ARGUMENT',
  },
  {
    name: 'a password of 342 characters and 1,026 bytes',
    body: withPassword(`"${'€'.repeat(342)}"`),
    status: 400,
    reason: 'INVALID_ARGUMENT',
  },
  {
    name: 'the right password, then NUL and more',
    body: withPassword(`"${passwords.ann}\\u0000x"`),
    status: 400,
    reason: 'INVALID_ARGUMENT',
  },
  {
    name: 'half a character in a password',
    body: withPassword('"\\ud800"'),
    status: 400,
    reason: 'INVALID_ARGUMENT',
  },
  {
    name: 'NUL in a name',
    body: `{"username":"ann\\u0000","password":"x"}`,
    status: 400,
    reason: 'INVALID_ARGUMENT',
  },
  {
    name: 'a line break in a name',
    body: `{"username":"ann\\nbob","password":"x"}`,
    status: 400,
    reason: 'INVALID_ARGUMENT',
  },
  {
    name: 'a name of 257 characters',
    body: JSON.stringify({ username: 'a'.repeat(257), password: 'x' }),
    status: 400,
    reason: 'INVALID_ARGUMENT',
  },
  {
    name: 'a list of names',
    body: JSON.stringify({ username: ['ann'], password: passwords.ann }),
    status: 400,
    reason: 'INVALID_ARGUMENT',
  },
]

describe('bodies of a login', () => {
  test('what is no name and password is refused, and nothing of it is quoted', async (t) => {
    const { url, logs } = await startGateway(t, { auth: { issuer: issuerConfig(lenient) } })
    for (const { name, body, headers, status, reason } of bodies) {
      const reply = await fetch(`${url}/auth/login`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : new Uint8Array(body),
      })
      const text = await reply.text()
      assert.equal(reply.status, status, `${name}: ${text}`)
      assert.equal(JSON.parse(text).reason, reason, name)
      assert.equal(text.includes('correct horse'), false, name)
    }
    assert.equal(
      logs.some((line) => line.message === 'a login failed'),
      false,
    )
    // The same refusals for refresh; and the right one works.
    assert.equal((await post(url, '/auth/login', right)).status, 200)
    for (const body of [
      '{}',
      '{"refresh_token":null}',
      '{"refresh_token":["gwr_x"]}',
      '{"refresh_token":""}',
    ])
      assert.equal(await reasonOf(await post(url, '/auth/refresh', body)), 'INVALID_ARGUMENT', body)
    const twice = '{"refresh_token":"a","refresh_token":"b"}'
    for (const path of ['/auth/refresh', '/auth/logout'])
      assert.equal(await reasonOf(await post(url, path, twice)), 'INVALID_BODY', path)
  })

  test('other methods are 405, and credentials in the query or in Basic are none', async (t) => {
    const { url, port } = await startGateway(t, { auth: { issuer: issuerConfig(lenient) } })
    for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const reply = await fetch(`${url}/auth/login?username=ann&password=x`, { method })
      assert.equal(reply.status, 405, method)
      assert.equal(reply.headers.get('allow'), 'POST', method)
      assert.equal(reply.headers.get('access-control-allow-origin'), null)
    }
    const basic = Buffer.from(`ann:${passwords.ann}`).toString('base64')
    const reply = await post(url, `/auth/login?username=ann&password=x`, '{}', {
      Authorization: `Basic ${basic}`,
    })
    assert.equal(await reasonOf(reply), 'INVALID_ARGUMENT')
    const sameRow = ['/auth/%6cogin', '/auth/login/']
    const paths = [
      '/auth//login',
      '/auth/./login',
      '/AUTH/LOGIN',
      '/auth/login/',
      '/auth/%6cogin',
      '/x/../auth/login',
    ]
    for (const path of paths) {
      const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n`
      const answer = await rawExchange(port, `${head}Content-Length: ${right.length}\r\n\r\n${right}`)
      // These are other spellings of the path: they lead to the same row, limits included.
      assert.match(answer, sameRow.includes(path) ? /^HTTP\/1\.1 200 / : /^HTTP\/1\.1 (400|404) /, path)
    }
  })
})

describe('a failed login', () => {
  /** Everything that a client sees but for what differs from one request to the next. */
  async function seen(reply: Response): Promise<string> {
    const headers = [...reply.headers].filter(
      ([name]) => !/^(date|x-request-id|x-trace-id|x-response-time|server-timing)$/.test(name),
    )
    const { requestId: _, traceId: __, ...body } = (await reply.json()) as Record<string, unknown>
    return JSON.stringify([reply.status, headers, body])
  }

  test('looks the same whoever it was and whatever was wrong (ASVS 4.0 V2.2.1, WSTG-IDNT-04)', async (t) => {
    const without = { name: 'dan', passwordHash: '' }
    const { url } = await startGateway(t, {
      auth: { issuer: issuerConfig({ ...lenient, users: [...users, without] }) },
      plugins: ['requestId'],
    })
    const typed: readonly [string, string, string][] = [
      ['a user that there is not', 'nobody', passwords.ann],
      ['a wrong password', 'ann', 'wrong password'],
      ['the password of another user', 'ann', passwords.bob],
      ['a user that is disabled, with the right password', 'eve', passwords.eve],
      ['a user that is disabled, with a wrong password', 'eve', 'wrong password'],
      ['a user without a password', 'dan', 'wrong password'],
      ['the id of a user for its name', 'user-1', passwords.ann],
      ['a password in other case', 'ann', passwords.ann.toUpperCase()],
      ['a password and a blank', 'ann', `${passwords.ann} `],
      ['a password cut short', 'ann', passwords.ann.slice(0, -1)],
      ['a long password', 'ann', passwords.ann.repeat(30)],
      ['the hash for the password', 'ann', users[0]?.passwordHash ?? ''],
      ['a pattern', '*', passwords.ann],
      ['SQL', "ann' OR '1'='1", "' OR '1'='1"],
      ['LDAP', 'ann)(uid=*', passwords.ann],
      ['a name with a blank', 'ann ', passwords.ann],
      ['__proto__', '__proto__', passwords.ann],
      ['constructor', 'constructor', passwords.ann],
    ]
    const answers = new Map<string, string>()
    for (const [name, username, password] of typed)
      answers.set(name, await seen(await post(url, '/auth/login', { username, password })))
    const [first] = answers.values()
    assert.match(first ?? '', /^\[401,.*LOGIN_FAILED/)
    for (const [name, answer] of answers) assert.equal(answer, first, name)
  })

  test('a refresh looks the same whatever was wrong', async (t) => {
    const { url } = await startGateway(t, { auth: { issuer: issuerConfig(lenient) } })
    const grant = (await (await post(url, '/auth/login', right)).json()) as {
      refresh_token: string
      access_token: string
    }
    const answers = new Set<string>()
    const { refresh_token: token } = grant
    const unknown = `gwr_${'A'.repeat(65)}`
    const mixed = `${unknown.slice(0, 26)}${token.slice(26)}`
    for (const junk of [
      'x',
      grant.access_token,
      unknown,
      mixed,
      `${token}x`,
      ` ${token}`,
      token.slice(0, -1),
      token.toUpperCase(),
    ])
      answers.add(await seen(await post(url, '/auth/refresh', { refresh_token: junk })))
    // None of that was the session's: it lives.
    const next = await post(url, '/auth/refresh', { refresh_token: token })
    assert.equal(next.status, 200)
    answers.add(await seen(await post(url, '/auth/refresh', { refresh_token: token })))
    const after = ((await next.json()) as { refresh_token: string }).refresh_token
    answers.add(await seen(await post(url, '/auth/refresh', { refresh_token: after })))
    assert.equal(answers.size, 1, [...answers].join('\n'))
  })
})

describe('names and passwords in Unicode', () => {
  const password = 'Zoë’s café 2026'
  const cases: readonly [string, string, string, number][] = [
    ['decomposed characters of the password', 'zoë', password.normalize('NFD'), 200],
    ['other blanks in the password (RFC 8265 section 4.2.2)', 'zoë', password.replaceAll(' ', '\u3000'), 200],
    ['a no-break space', 'zoë', password.replaceAll(' ', '\u00a0'), 200],
    ['a compatible character in the password: no NFKC', 'zoë', password.replace('2', '²'), 401],
    ['other case of the password', 'zoë', password.toLowerCase(), 401],
    ['decomposed characters of the name', 'zoe\u0308', password, 200],
    ['other case of the name', 'ZOË', password, 200],
    ['wide letters of the name', 'ｚｏë', password, 200],
    ['a look-alike of another alphabet', 'zоë', password, 401],
    ['an invisible character in the name', 'zo\u200bë', password, 401],
  ]
  test('are compared by the profiles of RFC 8265', async (t) => {
    const { preparePassword } = await import('../../src/issuer/prepared-text.ts')
    const passwordHash = cheapHash(preparePassword(password) ?? '')
    const { url } = await startGateway(t, {
      auth: { issuer: issuerConfig({ ...lenient, users: [{ name: 'Zoë', passwordHash }] }) },
    })
    for (const [name, username, typed, status] of cases)
      assert.equal((await post(url, '/auth/login', { username, password: typed })).status, status, name)
  })
})
