import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { request } from 'undici'
import { type Door, frontEndOver, openDoor } from './harness.ts'
import { inAllPlaces, type Subgraph, startSubgraph } from './subgraphs.ts'

const browser = {
  accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
  'sec-fetch-mode': 'navigate',
  'accept-encoding': 'gzip, deflate, br',
}
const chromium = process.env.CHROMIUM ?? '/usr/bin/chromium'

describe('the explorer', () => {
  let accounts: Subgraph
  let door: Door
  const get = (headers: Record<string, string>, search = '') => request(door.url + search, { headers })

  before(async () => {
    accounts = await startSubgraph('accounts')
    const all = inAllPlaces(accounts)
    door = await openDoor(await frontEndOver(all))
  })
  after(() => Promise.all([door.close(), accounts.close()]))

  it('has a row of its own, without credentials, that only navigations match', () => {
    const [operations, explorer] = door.frontEnd.rows
    assert.deepEqual(
      [operations?.id, operations?.methods, operations?.headers],
      ['graphql', ['GET', 'POST'], []],
    )
    assert.deepEqual(explorer?.headers, [{ name: 'sec-fetch-mode', value: 'navigate' }])
    assert.deepEqual([explorer?.policy.auth, explorer?.methods], ['none', ['GET']])
  })

  it('is one page with a strict policy, gzipped, and the same for links that carry a query', async () => {
    for (const search of ['', '?query={me{id}}']) {
      const { statusCode, headers, body } = await get(browser, search)
      const page = await body.bytes()
      assert.equal(statusCode, 200)
      assert.equal(headers['content-type'], 'text/html; charset=utf-8')
      assert.equal(headers['content-encoding'], 'gzip')
      assert.equal(headers['x-frame-options'], 'DENY')
      assert.match(
        String(headers['content-security-policy']),
        /default-src 'none'; script-src 'sha256-[^']+';/,
      )
      assert.doesNotMatch(
        String(headers['content-security-policy']),
        /unsafe-eval|https?:|script-src[^;]*unsafe-inline/,
      )
      assert.ok(page.length < 3_000_000)
    }
    assert.equal(accounts.requests.length, 0)
  })

  it('is not sent again to a browser that has it', async () => {
    const first = await get(browser)
    await first.body.dump()
    const again = await get({ ...browser, 'if-none-match': String(first.headers.etag) })
    assert.equal(again.statusCode, 304)
    assert.equal(await again.body.text(), '')
  })

  it('goes unzipped to who does not take gzip, with the hash of its script in the policy', async () => {
    for (const encoding of ['identity', 'gzip;q=0']) {
      const { headers, body } = await get({ ...browser, 'accept-encoding': encoding })
      const page = await body.text()
      assert.equal(headers['content-encoding'], undefined)
      const script = page.slice(page.indexOf('<script>') + 8, page.lastIndexOf('</script>'))
      const hash = createHash('sha256').update(script).digest('base64')
      assert.ok(String(headers['content-security-policy']).includes(hash))
    }
  })

  it('does not answer navigations that take no HTML with data', async () => {
    const { statusCode, body } = await get(
      { 'sec-fetch-mode': 'navigate', accept: 'application/json' },
      '?query={me{id}}',
    )
    assert.equal(statusCode, 406)
    assert.match(await body.text(), /NOT_ACCEPTABLE/)
    assert.equal(accounts.requests.length, 0)
  })

  it('has no row when it is switched off', async () => {
    const all = inAllPlaces(accounts)
    const frontEnd = await frontEndOver(all, { explorer: false })
    assert.deepEqual(
      frontEnd.rows.map(({ id }) => id),
      ['graphql'],
    )
    await frontEnd.close()
  })

  it('renders in a browser, reads the schema from the gateway, and asks no one else', {
    skip: !existsSync(chromium),
  }, async () => {
    const profile = await mkdtemp(join(tmpdir(), 'trivium-explorer-'))
    const flags = [
      '--headless --no-sandbox --disable-gpu --disable-background-networking --no-first-run --disable-component-update',
      '--enable-logging=stderr --log-level=0 --virtual-time-budget=15000 --dump-dom',
    ]
    const args = [...flags.join(' ').split(' '), `--user-data-dir=${profile}`]
    args.push(
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
      `--log-net-log=${join(profile, 'net.json')}`,
    )
    const child = spawn(chromium, [...args, door.url], { stdio: ['ignore', 'pipe', 'pipe'] })
    const [dom, errors] = await Promise.all([text(child.stdout), text(child.stderr)])
    assert.match(dom, /graphiql-container/)
    assert.match(dom, /monaco-editor/)
    assert.doesNotMatch(errors, /Content Security Policy|Uncaught/)
    const introspection =
      accounts.requests.length === 0 &&
      door.exchanges.some((x) => x.attributes['graphql.operation.name'] === 'IntrospectionQuery')
    assert.ok(introspection, 'the page did not read the schema')
    // Chromium asks for things of its own; what the page asks for has the page as its initiator.
    const { origin } = new URL(door.url)
    const log = (await readFile(join(profile, 'net.json'), 'utf8')).split('\n')
    const lines = log.filter((line) => line.includes(`"initiator":"${origin}"`))
    const asked = lines.flatMap((line) => /"url":"([^"]+)"/.exec(line)?.[1] ?? [])
    assert.ok(asked.includes(door.url), asked.join())
    assert.deepEqual(
      asked.filter((url) => !/^(data|blob):/.test(url) && !url.startsWith(origin)),
      [],
    )
    await rm(profile, { recursive: true, force: true })
  })
})
