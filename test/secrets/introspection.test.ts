import assert from 'node:assert/strict'
import { test } from 'node:test'
import { everyDoor } from '../doors/grpc-doors.ts'
import { type ProviderAnswer, startProvider } from '../plugins/provider-server.ts'
import { startGateway } from '../world.ts'
import { secretOf, toldBy } from './spellings.ts'

const secrets = { client: secretOf('client'), token: secretOf('token'), cookie: secretOf('cookie') }

/** What a server that gives back what it was told can do with it. */
const answers: readonly [string, ProviderAnswer][] = [
  ['an error with it', (req, res, body) => res.writeHead(500).end(`${body} ${req.headers.authorization}`)],
  ['no JSON with it', (req, res, body) => res.end(`${body} ${req.headers.authorization}`)],
  [
    'JSON that breaks off in it',
    (req, res, body) => res.end(`{"active":"${body} ${req.headers.authorization}`),
  ],
  [
    'a redirect with it',
    (req, res, body) => res.writeHead(302, { Location: `/?${body}&${req.headers.authorization}` }).end(),
  ],
  ['that it is not active', (_, res) => res.end('{"active":false}')],
  ['that it is of another issuer', (_, res, body) => res.end(JSON.stringify({ active: true, iss: body }))],
]

for (const door of everyDoor) {
  test(`no token that is asked about, and no secret to ask with, is told at the ${door.name} door`, async (t) => {
    const backend = await door.start(t)
    for (const [what, answer] of answers) {
      const provider = await startProvider(t)
      provider.answers.set('/introspect', answer)
      const server = { issuer: 'https://id.example', url: `${provider.url}/introspect` }
      const { url, logs, gateway } = await startGateway(t, {
        plugins: ['requestId', 'accessLog', 'metrics'],
        auth: {
          introspection: [{ ...server, clientId: 'gateway', clientSecret: secrets.client }],
          tokens: { cookie: 'token' },
        },
        ...backend.config({ auth: 'required' }),
      })
      const told: string[] = []
      for (const headers of [
        { Authorization: `Bearer ${secrets.token}` },
        { Cookie: `token=${secrets.cookie}`, 'Sec-Fetch-Site': 'same-origin' },
        { Cookie: `token=${secrets.cookie}; token=${secrets.cookie}` },
      ]) {
        const reply = await backend.ask(url, headers)
        told.push(JSON.stringify([...reply.headers]), await reply.text())
        assert.notEqual(reply.status, 200, what)
      }
      for (const page of ['/metrics', '/readyz?verbose', '/health?verbose'])
        told.push(await (await fetch(`${url}${page}`)).text())
      told.push(JSON.stringify(logs), JSON.stringify(gateway.shownConfig()))
      assert.deepEqual(toldBy(told.join('\n'), secrets), [], what)
      assert.ok(provider.asked.length >= 2, what)
    }
    assert.equal(backend.seen.length, 0)
  })
}
