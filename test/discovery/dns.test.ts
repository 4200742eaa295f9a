import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Answer, encode } from 'dns-packet'
import { providerOf } from '../../src/build-discovery.ts'
import { ServiceRegistry } from '../../src/discovery/service-registry.ts'
import { startDnsmasq } from '../services/dnsmasq.ts'
import { freePort } from '../services/free-port.ts'
import { type Findings, follow, said } from './findings.ts'
import { type Said, startNameServer } from './name-server.ts'

interface Options {
  readonly servers: readonly string[]
  readonly records?: readonly ('A' | 'AAAA')[]
  readonly min?: number
  readonly max?: number
}

const registry = new ServiceRegistry()

function followDns(t: TestContext, { servers, records = ['A'], min = 100, max = 60_000 }: Options): Findings {
  const refresh = { min, max }
  const config = { type: 'dns', name: 'users.internal', port: 8001, scheme: 'http' } as const
  return follow(t, providerOf({ ...config, servers: [...servers], records: [...records], refresh }, registry))
}

function followSrv(t: TestContext, { servers, records = ['A'], min = 100, max = 60_000 }: Options): Findings {
  const refresh = { min, max }
  const config = { type: 'dnsSrv', name: '_http._tcp.users.internal', scheme: 'http' } as const
  return follow(t, providerOf({ ...config, servers: [...servers], records: [...records], refresh }, registry))
}

function a(data: string, ttl = 0, name = 'users.internal'): Answer {
  return { type: data.includes(':') ? 'AAAA' : 'A', name, ttl, data }
}

function srv(target: string, port: number, { priority = 0, weight = 0, ttl = 0 } = {}): Answer {
  return { type: 'SRV', name: '_http._tcp.users.internal', ttl, data: { target, port, priority, weight } }
}

const nxdomain: Said = { rcode: 3 }
const one = ['http://10.0.0.1:8001']

test('every address of a name is a target', async (t) => {
  const { server, asked } = await startNameServer(t, () => ({ answers: [a('10.0.0.2'), a('10.0.0.1')] }))
  const findings = followDns(t, { servers: [server] })
  assert.deepEqual(said(await findings.next()), ['http://10.0.0.1:8001', 'http://10.0.0.2:8001'])
  assert.deepEqual([asked[0]?.type, asked[0]?.name], ['A', 'users.internal'])
})

test('IPv6 addresses are looked up where they are asked for', async (t) => {
  const { server } = await startNameServer(t, ({ type }) =>
    type === 'AAAA' ? { answers: [a('fd00::1')] } : { answers: [a('10.0.0.1')] },
  )
  const both = followDns(t, { servers: [server], records: ['A', 'AAAA'] })
  assert.deepEqual(said(await both.next()), ['http://10.0.0.1:8001', 'http://[fd00::1]:8001'])
  const six = followDns(t, { servers: [server], records: ['AAAA'] })
  assert.deepEqual(said(await six.next()), ['http://[fd00::1]:8001'])
})

test('one kind of address is enough when the other has none', async (t) => {
  const { server } = await startNameServer(t, ({ type }) =>
    type === 'AAAA' ? {} : { answers: [a('10.0.0.1')] },
  )
  const findings = followDns(t, { servers: [server], records: ['A', 'AAAA'] })
  assert.deepEqual(said(await findings.next()), one)
})

test('a kind of address that cannot be asked for keeps everything as it is', async (t) => {
  const { server } = await startNameServer(t, ({ type }) =>
    type === 'AAAA' ? { rcode: 2 } : { answers: [a('10.0.0.1')] },
  )
  const findings = followDns(t, { servers: [server], records: ['A', 'AAAA'] })
  assert.match(
    String(said(await findings.next())),
    /^users\.internal cannot be looked up: .* answered SERVFAIL$/,
  )
})

// RFC 1035 section 3.2.1: the TTL is how long a record may be cached.
for (const [ttl, min, max, atLeastMs] of [
  [1, 100, 60_000, 1_000],
  [0, 400, 60_000, 400],
  [3_600, 100, 500, 500],
] as const) {
  test(`with a TTL of ${ttl} s between ${min} and ${max} ms it is asked again after ${atLeastMs} ms`, async (t) => {
    const { server, asked, questions } = await startNameServer(t, () => ({ answers: [a('10.0.0.1', ttl)] }))
    followDns(t, { servers: [server], min, max })
    await questions(2)
    const passed = (asked[1]?.at ?? 0) - (asked[0]?.at ?? 0)
    assert.ok(passed >= atLeastMs - 5, `${passed} ms`)
    assert.ok(passed < atLeastMs + 5_000, `${passed} ms`)
  })
}

test('the TTL of an alias counts, too', async (t) => {
  const alias: Answer = { type: 'CNAME', name: 'users.internal', ttl: 1, data: 'real.internal' }
  const { server, asked, questions } = await startNameServer(t, () => ({
    answers: [alias, a('10.0.0.1', 3_600, 'real.internal')],
  }))
  const findings = followDns(t, { servers: [server] })
  assert.deepEqual(said(await findings.next()), one)
  await questions(2)
  assert.ok((asked[1]?.at ?? 0) - (asked[0]?.at ?? 0) >= 995)
})

const troubles: readonly (readonly [name: string, bad: Said | undefined, says: RegExp])[] = [
  ['says that there is no such name', nxdomain, /^there is no name users\.internal \(NXDOMAIN\)$/],
  ['has no records of the kind', {}, /^users\.internal has no A records$/],
  [
    'cannot ask others',
    { rcode: 2 },
    /^users\.internal cannot be looked up: 127\.0\.0\.1:\d+ answered SERVFAIL$/,
  ],
  ['refuses', { rcode: 5 }, /answered REFUSED$/],
]

for (const [name, bad, says] of troubles) {
  test(`a server that ${name} changes nothing, and is asked again`, async (t) => {
    let now: Said | undefined = { answers: [a('10.0.0.1')] }
    const { server } = await startNameServer(t, () => now)
    const findings = followDns(t, { servers: [server] })
    assert.deepEqual(said(await findings.next()), one)
    now = bad
    const trouble = await findings.next((finding) => finding.trouble !== undefined)
    assert.match(String(trouble.trouble), says)
    assert.equal(trouble.targets, undefined)
    now = { answers: [a('10.0.0.3')] }
    const again = await findings.next((finding) => finding.targets !== undefined)
    assert.deepEqual(said(again), ['http://10.0.0.3:8001'])
  })
}

test('when the server is gone nothing changes, and the pauses double', async (t) => {
  const { server, close, questions } = await startNameServer(t, () => ({ answers: [a('10.0.0.1')] }))
  const findings = followDns(t, { servers: [server], min: 100, max: 400 })
  await questions(1)
  close()
  const trouble = await findings.next((finding) => finding.trouble !== undefined)
  assert.match(String(trouble.trouble), /^users\.internal cannot be looked up: .*ECONNREFUSED/)
  const began = performance.now()
  for (let i = 0; i < 3; i++) await findings.next()
  assert.ok(performance.now() - began >= 100 + 200 + 400 - 15)
})

test('the next server is asked when the first does not answer, or not well', async (t) => {
  const good = await startNameServer(t, () => ({ answers: [a('10.0.0.1')] }))
  const failing = await startNameServer(t, () => ({ rcode: 2 }))
  const gone = `127.0.0.1:${await freePort()}`
  const findings = followDns(t, { servers: [gone, failing.server, good.server] })
  assert.deepEqual(said(await findings.next()), one)
  assert.equal(failing.asked.length, 1)
})

test('a server that says nothing is passed over in time', async (t) => {
  const silent = await startNameServer(t, () => undefined)
  const good = await startNameServer(t, () => ({ answers: [a('10.0.0.1')] }))
  const findings = followDns(t, { servers: [silent.server, good.server] })
  assert.deepEqual(said(await findings.next()), one)
})

// RFC 7766 section 5
test('an answer that does not fit is asked for over TCP', async (t) => {
  const answers = Array.from({ length: 200 }, (_, i) => a(`10.0.1.${i}`))
  const { server, asked } = await startNameServer(t, () => ({ answers, truncated: true }))
  const findings = followDns(t, { servers: [server] })
  assert.equal((await findings.next()).targets?.length, 200)
  assert.deepEqual(
    asked.slice(0, 2).map(({ over }) => over),
    ['udp', 'tcp'],
  )
})

test('a server that closes the connection over TCP is in trouble, not us', async (t) => {
  const { server } = await startNameServer(t, (_, over) => (over === 'udp' ? { truncated: true } : undefined))
  const findings = followDns(t, { servers: [server] })
  assert.match(String(said(await findings.next())), /^users\.internal cannot be looked up: /)
})

// RFC 5452 sections 3 and 9
test('what does not answer the question is not looked at', async (t) => {
  const evil = a('6.6.6.6')
  const forged = (id: number, name: string, type: 'A' | 'AAAA'): Buffer =>
    encode({ type: 'response', id, questions: [{ name, type, class: 'IN' }], answers: [evil] })
  const { server } = await startNameServer(t, () => ({
    answers: [a('10.0.0.1')],
    before: (id) => [
      Buffer.from('no DNS at all'),
      Buffer.alloc(0),
      // A name that points at itself (RFC 1035 section 4.1.4).
      Buffer.from([id >> 8, id & 255, 0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1]),
      forged((id + 1) % 65_536, 'users.internal', 'A'),
      forged(id, 'others.internal', 'A'),
      forged(id, 'users.internal', 'AAAA'),
      encode({ type: 'query', id, questions: [{ name: 'users.internal', type: 'A' }], answers: [evil] }),
    ],
  }))
  const findings = followDns(t, { servers: [server] })
  assert.deepEqual(said(await findings.next()), one)
})

test('names are compared without regard to case', async (t) => {
  const { server } = await startNameServer(t, () => ({
    before: (id) => [
      encode({
        type: 'response',
        id,
        questions: [{ name: 'Users.INTERNAL', type: 'A', class: 'IN' }],
        answers: [a('10.0.0.1')],
      }),
    ],
    rcode: 2,
  }))
  assert.deepEqual(said(await followDns(t, { servers: [server] }).next()), one)
})

// RFC 2782: priority, weight, port; "a very small chance" for weight 0.
test('SRV records give port, priority and weight', async (t) => {
  const addresses: Readonly<Record<string, readonly string[]>> = {
    'big.internal': ['10.0.0.1'],
    'two.internal': ['10.0.0.2', '10.0.0.3'],
    'spare.internal': ['10.0.0.4'],
  }
  const { server } = await startNameServer(t, ({ name, type }) =>
    type === 'SRV'
      ? {
          answers: [
            srv('big.internal', 8001, { priority: 1, weight: 30 }),
            srv('two.internal', 8002, { priority: 1, weight: 10 }),
            srv('spare.internal', 8003, { priority: 2, weight: 0 }),
          ],
        }
      : { answers: (addresses[name] ?? []).map((address) => a(address, 0, name)) },
  )
  const { targets = [] } = await followSrv(t, { servers: [server] }).next()
  assert.deepEqual(
    targets.toSorted((x, y) => x.url.localeCompare(y.url)),
    [
      { url: 'http://10.0.0.1:8001', weight: 3_000, priority: 1 },
      { url: 'http://10.0.0.2:8002', weight: 500, priority: 1 },
      { url: 'http://10.0.0.3:8002', weight: 500, priority: 1 },
      { url: 'http://10.0.0.4:8003', weight: 1, priority: 2 },
    ],
  )
})

test('the shortest TTL of SRV records and their addresses counts', async (t) => {
  const { server, asked, questions } = await startNameServer(t, ({ type, name }) =>
    type === 'SRV'
      ? { answers: [srv('a.internal', 8001, { ttl: 3_600 })] }
      : { answers: [a('10.0.0.1', 1, name)] },
  )
  followSrv(t, { servers: [server] })
  await questions(3)
  assert.ok((asked[2]?.at ?? 0) - (asked[1]?.at ?? 0) >= 995)
})

test('a service without an address is left out, with the reason', async (t) => {
  const { server } = await startNameServer(t, ({ name, type }) => {
    if (type === 'SRV') return { answers: [srv('a.internal', 8001), srv('gone.internal', 8002)] }
    return name === 'a.internal' ? { answers: [a('10.0.0.1', 0, name)] } : nxdomain
  })
  const found = await followSrv(t, { servers: [server] }).next()
  assert.deepEqual(said(found), one)
  assert.deepEqual(found.skipped, ['gone.internal:8002: there is no name gone.internal (NXDOMAIN)'])
})

test('a service whose address cannot be looked up keeps everything as it is', async (t) => {
  const { server } = await startNameServer(t, ({ name, type }) => {
    if (type === 'SRV') return { answers: [srv('a.internal', 8001), srv('b.internal', 8002)] }
    return name === 'a.internal' ? { answers: [a('10.0.0.1', 0, name)] } : { rcode: 2 }
  })
  const found = await followSrv(t, { servers: [server] }).next()
  assert.match(String(said(found)), /^b\.internal cannot be looked up: /)
})

// RFC 2782: "A Target of "." means that the service is decidedly not available at this domain."
test('a service that is declared not available keeps everything as it is', async (t) => {
  const { server } = await startNameServer(t, () => ({ answers: [srv('.', 0)] }))
  const found = await followSrv(t, { servers: [server] }).next()
  assert.match(String(said(found)), /says that the service is not available/)
})

test('dnsmasq: addresses and services, and its end', async (t) => {
  const dnsmasq = await startDnsmasq([
    '--host-record=users.internal,10.0.0.1,fd00::1,2',
    '--cname=alias.internal,users.internal',
    '--srv-host=_http._tcp.users.internal,users.internal,8005,3,7',
    '--local-ttl=1',
  ])
  t.after(dnsmasq.kill)
  const servers = [dnsmasq.server]
  const both = followDns(t, { servers, records: ['A', 'AAAA'] })
  assert.deepEqual(said(await both.next()), ['http://10.0.0.1:8001', 'http://[fd00::1]:8001'])
  const services = followSrv(t, { servers })
  assert.deepEqual((await services.next()).targets, [
    { url: 'http://10.0.0.1:8005', weight: 700, priority: 3 },
  ])
  await dnsmasq.kill()
  await both.next(({ trouble }) => trouble !== undefined)
  await services.next(({ trouble }) => trouble !== undefined)
})

test('nothing is asked any more once it is closed', async (t) => {
  const { server, asked, questions } = await startNameServer(t, () => ({ answers: [a('10.0.0.1')] }))
  const refresh = { min: 100, max: 100 }
  const config = {
    type: 'dns',
    name: 'users.internal',
    port: 8001,
    scheme: 'http',
    records: ['A' as const],
  } as const
  const provider = providerOf({ ...config, records: ['A'], servers: [server], refresh }, registry)
  provider.watch(() => {})
  await questions(1)
  provider.close()
  const count = asked.length
  await new Promise((resolve) => setTimeout(resolve, 300))
  assert.equal(asked.length, count)
})
