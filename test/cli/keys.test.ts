import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashApiKey } from '../../src/plugins/identity/api-key.ts'
import { startGateway } from '../world.ts'
import { runCli } from './child.ts'
import { runHere } from './here.ts'

test('keys are made, listed, rotated and revoked from the command line', async (t) => {
  const { out: printed } = await runCli([
    'admin',
    'token',
    'ops',
    '--scope',
    'read',
    '--scope',
    'keys',
    '--json',
  ])
  const { token, hash, scopes, name } = JSON.parse(printed)
  assert.equal(hash, hashApiKey(token))
  const { url } = await startGateway(t, {
    admin: { tokens: [{ name, hash, scopes }] },
    consumers: [{ id: 'shop', scopes: ['a', 'b'], roles: ['r'] }],
    routes: [{ id: 'r', path: '/r', respond: { status: 200 } }],
  })
  const cli = (...args: string[]) =>
    runCli(['keys', ...args, '--url', url], { env: { GATEWAY_ADMIN_TOKEN: token } })
  const use = async (key: string) => (await fetch(`${url}/r`, { headers: { 'X-Api-Key': key } })).status

  const expires = '2099-01-02T03:04:05Z'
  const made = await cli(
    'create',
    'shop',
    '--name',
    'web',
    '--scope',
    'a',
    '--role',
    'r',
    '--env',
    'test',
    '--expires',
    expires,
  )
  assert.equal(made.code, 0, made.err)
  const [, key = '', id = ''] =
    /^key \(shown this once\): (gwk_test_\w+)\nid: (key_\w+)\nexpires: 2099-01-02T03:04:05.000Z\n$/.exec(
      made.out,
    ) ?? []
  assert.equal(await use(key), 200)
  const list = await cli('list')
  const [head = '', row = ''] = list.out.split('\n')
  assert.deepEqual(head.split(/ {2,}/), [
    'ID',
    'CONSUMER',
    'NAME',
    'PREFIX',
    'STATE',
    'EXPIRES',
    'LAST USED',
    'SOURCE',
  ])
  assert.deepEqual(row.split(/ {2,}/).toSpliced(6, 1), [
    id,
    'shop',
    'web',
    key.slice(0, 17),
    'active',
    '2099-01-02 03:04',
    'managed',
  ])
  const rotated = await cli('rotate', id, '--overlap', '0s', '--json')
  const next = JSON.parse(rotated.out) as { id: string; key: string }
  assert.deepEqual([await use(key), await use(next.key)], [401, 200])
  assert.deepEqual(await cli('revoke', next.id), { code: 0, out: `${next.id} of shop is revoked\n`, err: '' })
  assert.equal(await use(next.key), 401)
  const states = JSON.parse((await cli('list', 'shop', '--json')).out) as { state: string }[]
  assert.deepEqual(states.map(({ state }) => state).sort(), ['expired', 'revoked'])
  assert.equal((await cli('list', 'nobody')).out, 'there are no keys\n')
})

test('what goes wrong is said in a sentence, with exit code 1', async (t) => {
  const { url } = await startGateway(t, {
    consumers: [{ id: 'shop' }],
    routes: [
      { id: 'all', path: '/all/**', auth: 'none', respond: { status: 200, json: { page: 1 } } },
      { id: 'text', path: '/text/**', auth: 'none', respond: { status: 200, body: 'hello' } },
    ],
  })
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['keys', 'create', 'nobody', '--url', url], /answered 400: .*\n {2}consumer: there is no such consumer/],
    [['keys', 'create', 'shop', '--env', 'A', '--url', url], /\n {2}env: has 1 to 16 lower-case/],
    [['keys', 'revoke', 'x', '--url', url], /answered 404: There is no key with this id/],
    [['keys', 'rotate', 'x/../../y', '--url', url], /answered 400/],
    [['keys', 'revoke'], /usage: gateway keys revoke ID/],
    [['keys', 'list', '--url', 'http://127.0.0.1:1'], /no gateway answers at .*--url/],
    [['keys', 'list', '--url', 'nonsense'], /--url must be like http:/],
    [['keys', 'list', '--url', `${url}/elsewhere`], /answered 404/],
    [['keys', 'list', '--url', `${url}/all`], /\/all did not answer as an admin API.*--url/],
    [['keys', 'create', 'shop', '--url', `${url}/all`], /did not answer as an admin API/],
    [['token', 'revoke', '--jti', 'a', '--url', `${url}/text`], /did not answer as an admin API/],
    [['admin', 'token'], /usage: gateway admin token NAME/],
    [['admin', 'token', 'ops', '--scope', 'bogus'], /no scope "bogus" .* there are read, write, keys/],
  ]
  for (const [args, said] of cases) {
    const { code, out, err } = await runHere(args)
    assert.deepEqual([code, out], [1, ''], args.join(' '))
    assert.match(err, said)
  }
})
