import assert from 'node:assert/strict'
import { once } from 'node:events'
import { renameSync, writeFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { connect, type TLSSocket } from 'node:tls'
import { type Issued, makeAuthority } from '../certificates.ts'
import { folderOf } from '../config/files.ts'
import { startGateway } from '../world.ts'

const authority = makeAuthority()
const [first, second, third] = [1, 2, 3].map((n) =>
  authority.issue(['localhost'], { subject: `/CN=number ${n}` }),
) as [Issued, Issued, Issued]

const yaml = `server:
  listen: 127.0.0.1:0
  tls: { listen: "127.0.0.1:0", cert: file://cert.pem, key: file://key.pem }
  shutdown: { drainDelay: 0s, gracePeriod: 2s }
`

async function start(t: TestContext, { cert, key }: Issued, now?: () => number) {
  const path = folderOf(t, { 'gateway.yaml': yaml, 'cert.pem': cert, 'key.pem': key })
  const made = await startGateway(t, {}, { file: path('gateway.yaml'), watch: true, ...(now && { now }) })
  const port = Number(new URL(made.gateway.tlsUrl as string).port)
  return {
    ...made,
    replace: (name: string, text: string): void => {
      writeFileSync(path(`${name}.new`), text)
      renameSync(path(`${name}.new`), path(name))
    },
    shake: async (): Promise<TLSSocket> => {
      const socket = connect({ port, host: '127.0.0.1', ca: authority.cert, servername: 'localhost' })
      t.after(() => socket.destroy())
      await once(socket, 'secureConnect')
      return socket
    },
    applied: (version: number) => made.logged((line) => line.build === version),
    refused: (mistake: RegExp) =>
      made.logged(
        (line) =>
          String(line.message).startsWith('configuration refused') && mistake.test(String(line.problems)),
      ),
  }
}

const shown = (socket: TLSSocket): unknown => socket.getPeerCertificate().subject.CN

async function livez(socket: TLSSocket): Promise<string> {
  socket.write('GET /livez HTTP/1.1\r\nHost: a\r\n\r\n')
  return String((await once(socket, 'data'))[0])
}

test('a new certificate is shown to new connections, and the old ones go on', async (t) => {
  const { shake, replace, applied, refused } = await start(t, first)
  const old = await shake()
  assert.equal(shown(old), 'number 1')
  // One file after the other, as most renew them: for a moment they do not belong together.
  replace('cert.pem', second.cert)
  await refused(
    /gateway\.yaml:3:\d+: server\.tls\.key: file:\/\/key\.pem does not belong to the certificate of CN=number 2/,
  )
  assert.equal(shown(await shake()), 'number 1')
  replace('key.pem', second.key)
  await applied(2)
  assert.equal(shown(await shake()), 'number 2')
  assert.match(await livez(old), /^HTTP\/1\.1 200 /)
})

test('a broken certificate, a broken key and a file that is gone keep the old pair', async (t) => {
  const { shake, replace, refused, applied } = await start(t, first)
  replace('cert.pem', 'no certificate')
  await refused(/server\.tls\.cert: file:\/\/cert\.pem is no certificate in PEM/)
  replace('cert.pem', first.cert)
  await applied(2)
  replace('key.pem', 'no key')
  await refused(/server\.tls\.key: file:\/\/key\.pem is no private key in PEM/)
  assert.equal(shown(await shake()), 'number 1')
  replace('cert.pem', third.cert)
  replace('key.pem', third.key)
  await applied(3)
  assert.equal(shown(await shake()), 'number 3')
})

test('the end of a certificate is a metric, and is logged from 14 days before', async (t) => {
  const { url, logs } = await start(t, first)
  const text = await (await fetch(`${url}/metrics`)).text()
  const [, seconds] =
    /gateway_tls_certificate_expiry_timestamp_seconds\{certificate="default"\} (\S+)/.exec(text) ?? []
  const days = (Number(seconds) * 1000 - Date.now()) / 86_400_000
  assert.ok(days > 29 && days <= 30, `${days}`)
  assert.ok(!logs.some((line) => /TLS certificate/.test(String(line.message))))
})

for (const [days, level, message] of [
  [17, 'WARN', 'a TLS certificate expires soon'],
  [31, 'ERROR', 'a TLS certificate has expired'],
] as const) {
  test(`after ${days} of 30 days: ${message}`, async (t) => {
    const { logged } = await start(t, first, () => Date.now() + days * 86_400_000)
    const line = await logged((one) => one.message === message)
    assert.equal(line.certificate, 'default')
    assert.equal(String(line.severity).toUpperCase(), level)
  })
}

test('the private key is masked where the configuration is shown', async (t) => {
  const { gateway } = await start(t, first)
  assert.doesNotMatch(JSON.stringify(gateway.shownConfig()), /PRIVATE KEY/)
})
