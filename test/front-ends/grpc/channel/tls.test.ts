import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createServer } from 'node:tls'
import { ServerCredentials } from '@grpc/grpc-js'
import { type Backend, startBackend } from './backend.ts'
import { call, channelKinds, openFast, verdict } from './channels.ts'

const folder = mkdtempSync(join(tmpdir(), 'channel-tls-'))
let cert: Buffer
let key: Buffer
let backend: Backend
before(async () => {
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const names = 'subjectAltName=DNS:localhost,DNS:backend.test,IP:127.0.0.1'
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=localhost',
      '-addext',
      names,
      '-keyout',
      keyFile,
      '-out',
      certFile,
    ],
    { stdio: 'ignore' },
  )
  cert = readFileSync(certFile)
  key = readFileSync(keyFile)
  const pair = [{ cert_chain: cert, private_key: key }]
  backend = await startBackend({ credentials: ServerCredentials.createSsl(null, pair) })
})
after(() => {
  backend.close()
  rmSync(folder, { recursive: true })
})

const failed = { code: 14, failure: 'tls', reached: false, fromBackend: false }

for (const { name, open } of channelKinds) {
  test(`${name}: a certificate of a known authority is taken`, async () => {
    const channel = open(backend.url, { tls: { ca: cert } })
    const { end, messages } = await call(channel, { message: Buffer.alloc(300_000, 'x') })
    channel.close()
    assert.deepEqual([end.code, messages[0]?.length], [0, 300_000])
  })

  test(`${name}: one of an unknown authority is not`, async () => {
    const channel = open(backend.url)
    const told = await call(channel)
    channel.close()
    assert.deepEqual(verdict(told), failed)
  })

  test(`${name}: one for another name is not, unless that name is expected`, async () => {
    const url = backend.url
    const wrong = open(url, { tls: { ca: cert, serverName: 'elsewhere.test' } })
    const right = open(url, { tls: { ca: cert, serverName: 'backend.test' } })
    const told = [await call(wrong), await call(right)]
    wrong.close()
    right.close()
    assert.deepEqual(
      told.map(({ end }) => end.failure),
      ['tls', undefined],
    )
  })
}

for (const [what, protocols] of [
  ['chooses HTTP/1.1', ['http/1.1']],
  ['does not know ALPN', undefined],
] as const) {
  test(`fast: a server that ${what} is not spoken to`, async () => {
    const server = createServer({
      cert,
      key,
      ...(protocols === undefined ? {} : { ALPNProtocols: [...protocols] }),
    })
    server.on('tlsClientError', () => {})
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const channel = openFast(`https://127.0.0.1:${port}`, { tls: { ca: cert } })
    assert.deepEqual(verdict(await call(channel)), failed)
    channel.close()
    server.close()
  })
}
