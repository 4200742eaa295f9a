import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileSticky, type StickyOptions, stickyId } from '../../../src/traffic/balancing/sticky.ts'
import { targets } from './targets.ts'

const options: StickyOptions = {
  name: 'route',
  path: '/',
  secure: true,
  httpOnly: true,
  sameSite: 'Lax',
  maxAgeSeconds: undefined,
  secret: 'a secret',
}

/** What a browser sends back for a Set-Cookie header. */
const pair = (setCookie: string): string => setCookie.slice(0, setCookie.indexOf(';'))

test('each of 1,000 targets is found by the cookie that names it', () => {
  const all = targets(...Array.from({ length: 1_000 }, () => 1))
  const sticky = compileSticky(all, options)
  for (const target of all) {
    assert.equal(sticky.target(`theme=dark; ${pair(sticky.setCookie(target))}`), target)
  }
})

test('a cookie written before a restart finds the same target, in another list too', () => {
  const all = targets(1, 1, 1)
  const cookie = pair(compileSticky(all, options).setCookie(all[1] as (typeof all)[0]))
  const after = targets(1, 1, 1, 1).reverse()
  assert.equal(compileSticky(after, options).target(cookie)?.url, all[1]?.url)
})

for (const header of [undefined, '', 'route=', 'route=unknown', 'route=__proto__', 'other=1', 'route="']) {
  test(`${header === undefined ? 'no cookie' : `"${header}"`} names no target`, () => {
    assert.equal(compileSticky(targets(1, 1), options).target(header), undefined)
  })
}

test('the cookie holds nothing of the address, and without the secret nobody can tell which address it is', () => {
  const url = 'http://10.0.0.1:8080'
  assert.match(stickyId(url, 'a secret'), /^[A-Za-z0-9_-]{11}$/)
  assert.notEqual(stickyId(url, 'a secret'), stickyId(url, 'another'))
})

const written: readonly (readonly [change: Partial<StickyOptions>, attributes: string])[] = [
  [{}, 'Path=/; HttpOnly; Secure; SameSite=Lax'],
  [{ maxAgeSeconds: 3_600 }, 'Path=/; Max-Age=3600; HttpOnly; Secure; SameSite=Lax'],
  [{ secure: false, httpOnly: false, sameSite: 'Strict', path: '/shop' }, 'Path=/shop; SameSite=Strict'],
  [{ sameSite: 'None' }, 'Path=/; HttpOnly; Secure; SameSite=None'],
]

for (const [change, attributes] of written) {
  test(`${JSON.stringify(change)} writes ${attributes}`, () => {
    const all = targets(1)
    const [target] = all as [(typeof all)[0]]
    assert.equal(
      compileSticky(all, { ...options, ...change }).setCookie(target),
      `route=${stickyId(target.url, options.secret)}; ${attributes}`,
    )
  })
}

const mistakes: readonly (readonly [change: Partial<StickyOptions>, message: RegExp])[] = [
  [{ name: 'a b' }, /"a b": the name is not a token/],
  [{ name: '' }, /the name is not a token/],
  [{ name: 'a=b' }, /the name is not a token/],
  [{ path: 'shop' }, /the path must begin with/],
  [{ path: '/a; Domain=evil.example' }, /the path must begin with/],
  [{ path: '/a\r\nX: y' }, /the path must begin with/],
  [{ sameSite: 'None', secure: false }, /sameSite: None needs secure/],
  [{ name: '__Host-route', secure: false }, /this prefix needs secure/],
  [{ name: '__Secure-route', secure: false }, /this prefix needs secure/],
  [{ name: '__Host-route', path: '/shop' }, /the prefix __Host- needs path: \//],
  [{ maxAgeSeconds: 0 }, /maxAge must be whole seconds above 0/],
  [{ maxAgeSeconds: 1.5 }, /maxAge must be whole seconds above 0/],
]

for (const [change, message] of mistakes) {
  test(`refuses ${JSON.stringify(change)}`, () => {
    assert.throws(() => compileSticky(targets(1), { ...options, ...change }), message)
  })
}
