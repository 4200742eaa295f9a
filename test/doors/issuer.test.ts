import assert from 'node:assert/strict'
import { test } from 'node:test'
import { issuerConfig, issuerName, logIn, passwords, post, refresh } from '../issuer/issuer-world.ts'
import { startGateway } from '../world.ts'
import { everyDoor } from './grpc-doors.ts'

for (const door of everyDoor) {
  test(`a token of the own issuer is good at the ${door.name} door until its session ends, and for what its user may do`, async (t) => {
    const backend = await door.start(t)
    const { url } = await startGateway(t, {
      auth: { issuer: issuerConfig() },
      ...backend.config({ auth: 'required', authorize: { roles: ['admin'], scopes: ['write'] } }),
    })
    const ask = (token: string): Promise<Response> => backend.ask(url, { Authorization: `Bearer ${token}` })
    const refused = async (token: string): Promise<unknown> => {
      const reply = await ask(token)
      const body = await reply.text()
      assert.ok(reply.status === 401 || reply.status === 403, `${reply.status} ${body}`)
      return backend.reason(body)
    }
    const grant = await logIn(url)
    const good = await ask(grant.access_token)
    assert.equal(good.status, 200, await good.text())
    assert.deepEqual(
      ['x-user-id', 'x-user-issuer', 'x-user-name', 'x-user-role', 'x-user-scopes'].map(
        (name) => backend.seen[0]?.[name],
      ),
      ['user-1', issuerName, 'Ann Example', 'admin', 'read write'],
    )
    assert.equal(backend.seen[0]?.authorization, undefined)

    const bob = await logIn(url, 'bob')
    assert.equal(await refused(bob.access_token), 'ROLE_MISSING')
    assert.equal(await refused(grant.refresh_token), 'JWT_INVALID')
    const basic = Buffer.from(`ann:${passwords.ann}`).toString('base64')
    const byPassword = await backend.ask(url, { Authorization: `Basic ${basic}` })
    assert.equal(backend.reason(await byPassword.text()), 'NO_CREDENTIALS')

    const stolen = await logIn(url)
    assert.equal((await ask(stolen.access_token)).status, 200)
    await refresh(url, stolen.refresh_token)
    await refresh(url, stolen.refresh_token)
    assert.equal(await refused(stolen.access_token), 'TOKEN_REVOKED')
    await post(url, '/auth/logout', {}, { Authorization: `Bearer ${grant.access_token}` })
    assert.equal(await refused(grant.access_token), 'TOKEN_REVOKED')
    assert.equal(backend.seen.length, 2)
  })
}
