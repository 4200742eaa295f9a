import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startBackend, startGateway } from '../world.ts'
import { runHere } from './here.ts'

/** Commands to a gateway that runs; each must end with 0 and say nothing on stderr. */
function cliOf(url: string) {
  return async (...args: string[]): Promise<string> => {
    const { code, out, err } = await runHere([...args, '--url', url])
    assert.deepEqual([code, err], [0, ''], args.join(' '))
    return out
  }
}

test('instances are registered, listed and deregistered from the command line, and take calls in between', async (t) => {
  const [one, two] = [await startBackend(t), await startBackend(t)]
  const { url } = await startGateway(t, {
    upstreams: { shop: { discovery: { type: 'registry', service: 'shop' } } },
    routes: [{ id: 'shop', path: '/shop', upstream: 'shop', auth: 'none' }],
  })
  const cli = cliOf(url)
  const call = async (): Promise<number> => (await fetch(`${url}/shop`)).status
  assert.equal(await cli('services', 'list'), 'no instance is registered\n')
  assert.equal(await call(), 503)
  assert.equal(
    await cli('services', 'register', 'shop', one.url),
    `shop: ${one.url} is registered; it goes unless it is registered again within 30s\n`,
  )
  await cli('services', 'register', 'shop', two.url, '--weight', '0', '--expires', '1h')
  assert.deepEqual([await call(), one.requests.length, two.requests.length], [200, 1, 0])
  const [head = '', ...rows] = (await cli('services', 'list')).trimEnd().split('\n')
  assert.deepEqual(head.split(/ {2,}/), ['SERVICE', 'URL', 'WEIGHT', 'TTL', 'STATE'])
  assert.deepEqual(
    rows.map((row) => row.split(/ {2,}/)),
    [
      ['shop', one.url, '100', '30s', 'registered'],
      ['shop', two.url, '0', '1h', 'registered'],
    ],
  )
  assert.equal(await cli('services', 'deregister', 'shop', one.url), `shop: ${one.url} gets no new calls\n`)
  assert.equal(await call(), 503)
  const listed = JSON.parse(await cli('services', 'list', '--json')) as { url: string }[]
  assert.deepEqual(
    listed.map(({ url }) => url),
    [two.url],
  )
  const wrong = [
    [['services', 'deregister', 'shop', one.url], /answered 404: No instance .* is registered/],
    [['services', 'register', 'shop', 'ftp://x'], /answered 400[\s\S]*url: expected http/],
    [['services', 'register', 'shop', one.url, '--weight', 'much'], /weight/],
    [['services', 'register', 'shop'], /usage: gateway services register SERVICE URL/],
  ] as const
  for (const [args, says] of wrong) {
    const { code, out, err } = await runHere([...args, '--url', url])
    assert.deepEqual([code, out], [1, ''], args.join(' '))
    assert.match(err, says)
  }
})

test('a canary is promoted, paused, resumed and aborted from the command line, and traffic follows', async (t) => {
  const [stable, canary] = [await startBackend(t), await startBackend(t)]
  const { url } = await startGateway(t, {
    upstreams: { old: { targets: [{ url: stable.url }] }, new: { targets: [{ url: canary.url }] } },
    routes: [
      {
        id: 'shop',
        path: '/shop',
        upstream: 'old',
        auth: 'none',
        canary: { upstream: 'new', steps: [{ weight: 0 }, { weight: 100 }] },
      },
    ],
  })
  const cli = cliOf(url)
  /** Who of the two is asked. */
  const side = async (): Promise<string> => {
    const before = canary.requests.length
    await (await fetch(`${url}/shop`)).arrayBuffer()
    return canary.requests.length > before ? 'new' : 'old'
  }
  const shown = (text: string): string[] => (text.split('\n')[1] ?? '').split(/ {2,}/).slice(0, 4)
  assert.equal(await side(), 'old')
  assert.deepEqual(shown(await cli('canary', 'list')), ['shop', 'progressing', '1/2', '0 %'])
  assert.deepEqual(shown(await cli('canary', 'promote', 'shop')), ['shop', 'progressing', '2/2', '100 %'])
  assert.equal(await side(), 'new')
  assert.deepEqual(shown(await cli('canary', 'pause', 'shop')), ['shop', 'paused', '2/2', '100 %'])
  assert.deepEqual(shown(await cli('canary', 'resume', 'shop')), ['shop', 'progressing', '2/2', '100 %'])
  assert.equal(await side(), 'new')
  assert.deepEqual(shown(await cli('canary', 'abort', 'shop')), ['shop', 'aborted', '2/2', '0 %'])
  assert.equal(await side(), 'old')
  const status = JSON.parse(await cli('canary', 'status', 'shop', '--json')) as {
    phase: string
    weight: number
  }
  assert.deepEqual([status.phase, status.weight], ['aborted', 0])
  // From the first step on.
  assert.deepEqual(shown(await cli('canary', 'resume', 'shop')), ['shop', 'progressing', '1/2', '0 %'])
  const wrong = [
    [['canary', 'resume', 'shop'], /answered 409: The canary "shop" is progressing: it progresses already/],
    [['canary', 'promote', 'nobody'], /answered 404: There is no canary "nobody"; there are shop/],
    [['canary', 'promote'], /usage: gateway canary promote PLACE/],
  ] as const
  for (const [args, says] of wrong) {
    const { code, out, err } = await runHere([...args, '--url', url])
    assert.deepEqual([code, out], [1, ''], args.join(' '))
    assert.match(err, says)
  }
  // Who moved it stands in the audit log.
  let audit = ''
  while (!/canaries\.abort/.test(audit)) {
    audit = await cli('audit')
    await sleep(5)
  }
  assert.match(audit, /canaries\.resume[\s\S]*canaries\.abort[\s\S]*canaries\.pause[\s\S]*canaries\.promote/)
})
