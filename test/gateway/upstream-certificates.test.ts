import assert from 'node:assert/strict'
import { once } from 'node:events'
import { renameSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { makeAuthority } from '../certificates.ts'
import { folderOf } from '../config/files.ts'
import { startGateway } from '../world.ts'
import { startLoad } from './load.ts'

const [old, next] = [makeAuthority('old'), makeAuthority('next')]
const pair = old.issue(['IP:127.0.0.1'])
const nextPair = next.issue(['IP:127.0.0.1'])
const [first, second] = [old, next].map((by, n) => by.issue(['gateway'], { subject: `/CN=gateway ${n + 1}` }))

test('our certificate to a backend, and the authority that it is known by, are renewed without a lost request', async (t) => {
  const shown = new Set<string>()
  const backend = createServer(
    { ...pair, ca: [old.cert, next.cert], requestCert: true, rejectUnauthorized: true },
    (req, res) => {
      shown.add(String((req.socket as TLSSocket).getPeerCertificate().subject.CN))
      req.resume().once('end', () => setTimeout(() => res.end('ok'), 5))
    },
  )
  backend.listen(0, '127.0.0.1')
  await once(backend, 'listening')
  t.after(() => {
    backend.closeAllConnections()
    backend.close()
  })
  const { port } = backend.address() as AddressInfo
  const path = folderOf(t, {
    'gateway.yaml': `server: { listen: "127.0.0.1:0", shutdown: { drainDelay: 0s, gracePeriod: 2s } }
upstreams:
  backend:
    targets: [{ url: "https://127.0.0.1:${port}" }]
    tls: { ca: file://ca.pem, cert: file://cert.pem, key: file://key.pem }
routes:
  - { id: all, path: "/**", upstream: backend, auth: none }
`,
    'ca.pem': old.cert,
    'cert.pem': first?.cert ?? '',
    'key.pem': first?.key ?? '',
  })
  const { url, logged } = await startGateway(t, {}, { file: path('gateway.yaml'), watch: true })
  const replace = (name: string, text = ''): void => {
    writeFileSync(path(`${name}.new`), text)
    renameSync(path(`${name}.new`), path(name))
  }
  const load = startLoad(url, ['/a', '/b', '/c'], 4)
  const moreLoad = async (): Promise<void> => {
    const before = load.done
    while (load.done < before + 20) await new Promise((resolve) => setTimeout(resolve, 10))
  }
  await moreLoad()
  assert.deepEqual([...shown], ['gateway 1'])

  // The backend changes its certificate later than we learn of its authority.
  replace('ca.pem', `${old.cert}${next.cert}`)
  await logged((line) => line.build === 2)
  backend.setSecureContext({ ...nextPair, ca: [old.cert, next.cert] })
  // One file after the other: for a moment they do not belong together.
  replace('cert.pem', second?.cert)
  await logged((line) => String(line.message).startsWith('configuration refused'))
  replace('key.pem', second?.key)
  await logged((line) => line.build === 3)
  await moreLoad()
  await load.stop()
  assert.deepEqual(load.failures.slice(0, 3), [])
  assert.ok(shown.has('gateway 2'))
})
