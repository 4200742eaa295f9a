import assert from 'node:assert/strict'
import { renameSync, writeFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { connect, type TLSSocket } from 'node:tls'
import { makeAuthority } from '../certificates.ts'
import { folderOf } from '../config/files.ts'
import { startGateway } from '../world.ts'

const authority = makeAuthority()
const former = makeAuthority('partners until now')
const next = makeAuthority('partners from now on')
const server = authority.issue(['localhost', 'IP:127.0.0.1'])
const client = former.issue(['billing'])

interface Told {
  readonly session: Buffer | undefined
  readonly reused: boolean
  /** What was answered; `''`: the connection ended without an answer. */
  readonly answer: string
}

/** One request on a connection of its own, which goes on with the session of an earlier one. */
async function ask(
  t: TestContext,
  port: number,
  { session, version }: { session?: Buffer | undefined; version: 'TLSv1.2' | 'TLSv1.3' },
): Promise<Told> {
  const socket: TLSSocket = connect({
    port,
    host: '127.0.0.1',
    ca: authority.cert,
    ...client,
    ...(session && { session }),
    minVersion: version,
    maxVersion: version,
  })
  t.after(() => socket.destroy())
  let ticket: Buffer | undefined
  let answer = ''
  let reused = false
  socket.once('secureConnect', () => {
    reused = socket.isSessionReused()
  })
  socket.on('session', (one) => {
    ticket = one
  })
  socket.on('error', () => {})
  socket.on('data', (chunk) => {
    answer += chunk
  })
  socket.write('GET /api HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
  await new Promise((resolve) => socket.once('close', resolve))
  return { session: ticket, reused, answer }
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`${version}: who has a session of an authority that is no longer trusted has to show another certificate`, async (t) => {
    const path = folderOf(t, {
      'ca.pem': former.cert,
      'gateway.yaml': JSON.stringify({
        server: {
          listen: '127.0.0.1:0',
          tls: { listen: '127.0.0.1:0', ...server, clientAuth: 'require', clientCa: 'file://ca.pem' },
        },
        consumers: [{ id: 'billing', certificates: [{ san: 'dns:billing' }] }],
        routes: [{ id: 'api', path: '/api', respond: { status: 200 } }],
      }),
    })
    const { gateway } = await startGateway(t, {}, { file: path('gateway.yaml') })
    const port = Number(new URL(String(gateway.tlsUrl)).port)
    const first = await ask(t, port, { version })
    assert.match(first.answer, /^HTTP\/1\.1 200/)
    assert.ok(first.session, 'there is a session to go on with')
    const again = await ask(t, port, { version, session: first.session })
    assert.match(again.answer, /^HTTP\/1\.1 200/)
    assert.ok(again.reused, 'sessions are taken up again')
    writeFileSync(path('new'), next.cert)
    renameSync(path('new'), path('ca.pem'))
    assert.equal(await gateway.reload(), true)
    const late = await ask(t, port, { version, session: again.session ?? first.session })
    assert.equal(late.answer, '', 'nobody is let in by what was verified before')
  })
}
