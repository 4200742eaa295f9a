// biome-ignore-all lint/suspicious/noTemplateCurlyInString: values of the path are written so
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authorizeKey } from '../../src/config/authorize-keys.ts'
import { asksForSomething } from '../../src/core/authorization.ts'
import type { Principal } from '../../src/core/principal.ts'
import type { Authorization } from '../../src/core/route.ts'
import type { Place } from '../../src/core/text-template.ts'
import { compileAuthorization } from '../../src/plugins/identity/authorize.ts'
import { exchange, values } from './harness.ts'

const place = (id: string): Place => ({
  protocol: 'rest',
  credentialHeaders: new Set(),
  variable: (name) => (name === 'id' ? { decoded: () => id, raw: () => id } : undefined),
})

function refusal(
  authorization: Partial<Authorization>,
  principal: Partial<Principal>,
  id = 'ann',
): string | undefined {
  const check = compileAuthorization({ roles: [], scopes: [], ...authorization }, place(id))
  return check({ id: 'ann', roles: [], scopes: [], via: 'jwt', ...principal }, exchange())?.reason
}

const rows: readonly [string, Authorization['claims'], Record<string, unknown> | undefined, boolean][] = [
  ['the value', { tenant: 'acme' }, { tenant: 'acme' }, true],
  ['another value', { tenant: 'acme' }, { tenant: 'globex' }, false],
  ['a longer one', { tenant: 'acme' }, { tenant: 'acme-evil' }, false],
  ['one that ends so', { tenant: 'acme' }, { tenant: 'evil acme' }, false],
  ['another case', { tenant: 'acme' }, { tenant: 'ACME' }, false],
  ['blanks around it', { tenant: 'acme' }, { tenant: ' acme ' }, false],
  ['words of a text are not elements', { tenant: 'acme' }, { tenant: 'globex acme' }, false],
  ['no such claim', { tenant: 'acme' }, {}, false],
  ['no claims at all, as of keys', { tenant: 'acme' }, undefined, false],
  ['null', { tenant: 'acme' }, { tenant: null }, false],
  ['one of several', { tenant: ['acme', 'globex'] }, { tenant: 'globex' }, true],
  ['none of several', { tenant: ['acme', 'globex'] }, { tenant: 'other' }, false],
  ['a list that has it', { groups: 'staff' }, { groups: ['guests', 'staff'] }, true],
  ['a list that has one of several', { groups: ['staff', 'admins'] }, { groups: ['x', 'admins'] }, true],
  ['a list without it', { groups: 'staff' }, { groups: ['staffers'] }, false],
  ['a list in a list', { groups: 'staff' }, { groups: [['staff']] }, false],
  ['an object', { groups: 'staff' }, { groups: { staff: true } }, false],
  ['a number', { level: 3 }, { level: 3 }, true],
  ['a number is no text', { level: 3 }, { level: '3' }, false],
  ['a text is no number', { level: '3' }, { level: 3 }, false],
  ['true', { email_verified: true }, { email_verified: true }, true],
  ['"true" is not true', { email_verified: true }, { email_verified: 'true' }, false],
  ['1 is not true', { email_verified: true }, { email_verified: 1 }, false],
  ['inside an object', { 'realm.level': 3 }, { realm: { level: 3 } }, true],
  ['a name with dots', { 'https://a.b/t': 'x' }, { 'https://a.b/t': 'x' }, true],
  ['not through the prototype', { 'constructor.name': 'Object' }, {}, false],
  ['a claim __proto__', { admin: true }, JSON.parse('{"__proto__":{"admin":true}}'), false],
  ['two that fit', { a: 1, b: 2 }, { a: 1, b: 2 }, true],
  ['two of which one fits', { a: 1, b: 2 }, { a: 1, b: 3 }, false],
  ['any value', { tenant: '*' }, { tenant: 'x' }, true],
  ['any value: false is one', { tenant: '*' }, { tenant: false }, true],
  ['any value: none', { tenant: '*' }, {}, false],
  ['any value: null', { tenant: '*' }, { tenant: null }, false],
  ['any value: empty', { tenant: '*' }, { tenant: '' }, false],
  ['any value: an empty list', { tenant: '*' }, { tenant: [] }, false],
  ['a claim "*" is no value', { tenant: 'acme' }, { tenant: '*' }, false],
  ['the path', { sub: '${path.id}' }, { sub: 'ann' }, true],
  ['the path in a text', { sub: 'user:${path.id}' }, { sub: 'user:ann' }, true],
  ['another path', { sub: '${path.id}' }, { sub: 'bob' }, false],
  ['the path, of a list', { ids: '${path.id}' }, { ids: ['bob', 'ann'] }, true],
  ['the path, or a value', { sub: ['${path.id}', 'root'] }, { sub: 'root' }, true],
  ['the path and no claim', { sub: '${path.id}' }, {}, false],
]
for (const [name, claims, has, passes] of rows) {
  test(`claims: ${name}: ${passes ? 'passes' : 'is refused'}`, () => {
    assert.equal(
      refusal({ claims: claims ?? {} }, has === undefined ? {} : { claims: has }),
      passes ? undefined : 'CLAIM_MISSING',
    )
  })
}

const paths: readonly [string, string, unknown, boolean][] = [
  ['a whole number', '42', 42, true],
  ['another spelling of it', '042', 42, false],
  ['a fraction has many spellings', '0.5', 0.5, false],
  ['a number past 2^53', '9007199254740993', 9007199254740992, false],
  ['true is no text', 'true', true, false],
  ['an empty path and an empty claim', '', '', false],
  ['* in the path is a value like any other', '*', 'ann', false],
  ['a path that looks like a text with values', '${path.id}', 'ann', false],
]
for (const [name, id, sub, passes] of paths) {
  test(`a claim compared with the path: ${name}: ${passes ? 'passes' : 'is refused'}`, () => {
    assert.equal(refusal({ claims: { sub: '${path.id}' } }, { claims: { sub } }, id) === undefined, passes)
  })
}

test('a variable that the path has not is refused when configuration loads', () => {
  assert.throws(() => refusal({ claims: { sub: '${path.user}' } }, {}), {
    path: ['claims', 'sub'],
    message: /no variable "user"/,
  })
})

const others: readonly [string, Partial<Authorization>, Partial<Principal>, string | undefined][] = [
  ['one of the scopes', { anyScope: ['a', 'b'] }, { scopes: ['b'] }, undefined],
  ['none of the scopes', { anyScope: ['a', 'b'] }, { scopes: ['ab'] }, 'SCOPE_MISSING'],
  [
    'all of some and one of others',
    { scopes: ['a'], anyScope: ['b', 'c'] },
    { scopes: ['a', 'c'] },
    undefined,
  ],
  [
    'all of some and none of others',
    { scopes: ['a'], anyScope: ['b', 'c'] },
    { scopes: ['a'] },
    'SCOPE_MISSING',
  ],
  ['the consumer', { consumers: ['shop'] }, { consumer: 'shop', via: 'apiKey' }, undefined],
  ['another consumer', { consumers: ['shop'] }, { consumer: 'shopping', via: 'apiKey' }, 'POLICY_REFUSED'],
  ['a user with the id of a consumer', { consumers: ['shop'] }, { id: 'shop' }, 'POLICY_REFUSED'],
  [
    'the role but not the claim',
    { roles: ['r'], claims: { t: 1 } },
    { roles: ['r'], claims: {} },
    'CLAIM_MISSING',
  ],
  ['the claim but not the role', { roles: ['r'], claims: { t: 1 } }, { claims: { t: 1 } }, 'ROLE_MISSING'],
]
for (const [name, authorization, principal, expected] of others) {
  test(`authorization: ${name}: ${expected ?? 'passes'}`, () => {
    assert.equal(refusal(authorization, principal), expected)
    assert.ok(asksForSomething({ roles: [], scopes: [], ...authorization }))
  })
}

test('insufficient_scope is told to those who came with a token, and names what would do', () => {
  const check = compileAuthorization({ roles: [], scopes: ['a'], anyScope: ['b', 'c'] }, place(''))
  const told = (via: Principal['via']): string[] =>
    values(check({ id: 'ann', roles: [], scopes: [], via }, exchange())?.headers ?? [], 'www-authenticate')
  assert.deepEqual(told('jwt'), ['Bearer realm="trivium", error="insufficient_scope", scope="a b"'])
  assert.deepEqual(told('introspection'), told('jwt'))
  assert.deepEqual(told('apiKey'), [])
  assert.deepEqual(told('certificate'), [])
})

const mistakes: readonly [string, unknown, RegExp][] = [
  ['an empty list', { t: [] }, /met by nobody/],
  ['* in a list', { t: ['a', '*'] }, /stands alone/],
  ['an object', { t: { a: 1 } }, /expected a text, a number/],
  ['a header', { t: '${header.x-tenant}' }, /no value of the path/],
  ['the query', { t: '${query.t}' }, /no value of the path/],
  ['another claim', { t: '${claim.u}' }, /no value of the path/],
  ['a value in place of a missing one', { t: '${path.id:-ann}' }, /takes nothing in place/],
  ['half a value', { t: '${path.id' }, /has no /],
]
for (const [name, claims, message] of mistakes) {
  test(`a condition on claims is refused: ${name}`, () => {
    const { error } = authorizeKey.safeParse({ claims })
    assert.match(JSON.stringify(error?.issues), message)
  })
}
