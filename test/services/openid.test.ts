import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeJwt } from 'jose'
import { startOpenId } from './openid.ts'

test('the OpenID provider signs users in and gives out tokens of both kinds', async (t) => {
  const openId = await startOpenId(t)
  const { access, refresh } = await openId.userToken('jwt', 'ann')
  const { sub, aud, iss, roles } = decodeJwt(access)
  assert.deepEqual([sub, aud, iss, roles], ['ann', 'api', openId.issuer, ['reader']])
  assert.notEqual(refresh, '')
  assert.equal(decodeJwt(await openId.clientToken('jwt')).client_id, 'app')
  assert.ok(!(await openId.clientToken('opaque')).includes('.'))
  assert.ok(!(await openId.userToken('opaque', 'ann')).access.includes('.'))
})
