import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toldBy } from '../secrets/spellings.ts'
import { startGateway } from '../world.ts'
import { cheapHash, issuerConfig, logIn, post, refresh, users } from './issuer-world.ts'

test('no password, hash, key or token of the issuer is in a log line, a metric, a refusal or the shown configuration', async (t) => {
  const typed = {
    right: 'the right pass phrase of zoe',
    wrong: 'a wrong pass phrase of zoe',
    asName: 'a pass phrase typed as a name',
  }
  const hash = cheapHash(typed.right)
  const { url, logs, gateway } = await startGateway(t, {
    plugins: ['requestId', 'accessLog', 'metrics'],
    auth: { issuer: issuerConfig({ users: [...users, { name: 'zoe', passwordHash: hash }] }) },
  })
  const answers: string[] = []
  const ask = async (path: string, body: unknown, headers = {}): Promise<void> => {
    const reply = await post(url, path, body, headers)
    answers.push(JSON.stringify([...reply.headers]), await reply.text())
  }
  const grant = await logIn(url)
  const next = (await (await refresh(url, grant.refresh_token)).json()) as typeof grant
  for (const body of [
    { username: 'zoe', password: typed.wrong },
    { username: typed.asName, password: typed.right },
    `{"username":"zoe","password":"${typed.right}"`,
    { username: 'zoe', password: [typed.right] },
    { username: 'zoe', password: `${typed.right}\0` },
    `{"username":"zoe","password":"${typed.right}","password":"${typed.wrong}"}`,
  ])
    await ask('/auth/login', body)
  await ask('/auth/refresh', { refresh_token: grant.refresh_token })
  await ask('/auth/refresh', { refresh_token: next.refresh_token })
  await ask(
    '/auth/logout',
    { refresh_token: next.refresh_token },
    { Authorization: `Bearer ${next.access_token}` },
  )
  for (const page of ['/metrics', '/health?verbose', '/readyz?verbose', '/.well-known/jwks.json'])
    answers.push(await (await fetch(url + page)).text())
  const secrets = {
    ...typed,
    hash: hash.slice(20),
    access: grant.access_token,
    refresh: grant.refresh_token,
    nextAccess: next.access_token,
    nextRefresh: next.refresh_token,
  }
  const written = JSON.stringify(logs)
  assert.ok(
    written.includes('a user has logged in') &&
      written.includes('used twice') &&
      written.includes('a login failed'),
  )
  assert.deepEqual(toldBy(written, secrets), [])
  assert.deepEqual(toldBy(answers.join('\n'), secrets), [])
  assert.deepEqual(toldBy(JSON.stringify(gateway.shownConfig()), secrets), [])
})
