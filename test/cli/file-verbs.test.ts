import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { parse } from 'yaml'
import { folderOf } from '../config/files.ts'
import { runHere } from './here.ts'

const yaml = `# the shop
upstreams:
  shop: # where it runs
    targets: [{ url: http://127.0.0.1:3000 }]
consumers: [{ id: acme }]
routes:
  - id: shop # all of it
    path: /v1/shop/**
    upstream: shop
    plugins:
      - headers: { request: { set: { x-a: "1" } } }
      - rateLimit: { name: all, limit: 100, window: 1m } # for everybody
`

describe('the verbs over a plain file', () => {
  test('make a file out of nothing, that runs', async (t) => {
    const inFolder = folderOf(t, {})
    const run = (line: string) => runHere([...line.split(' '), '--file', 'new.yaml'], inFolder(''))
    for (const line of [
      'upstreams add shop http://127.0.0.1:3000 http://127.0.0.1:3001',
      'consumers add acme --role reader --limit 1000/1h',
      'routes add shop --path /v1/shop/** --upstream shop --strip-prefix /v1/shop --method get,post --limit 100/1m',
      'routes add open --path /open --upstream shop --auth none --host shop.example --set timeout=2s',
      'plugins add requestId',
      'plugins add cors --set maxAge=1h --set allowOrigins=[https://a.example]',
    ]) {
      const { code, err } = await run(line)
      assert.deepEqual([code, err], [0, ''], line)
    }
    assert.deepEqual(parse(readFileSync(inFolder('new.yaml'), 'utf8')), {
      upstreams: { shop: { targets: [{ url: 'http://127.0.0.1:3000' }, { url: 'http://127.0.0.1:3001' }] } },
      consumers: [{ id: 'acme', roles: ['reader'], rateLimit: { limit: 1000, window: '1h' } }],
      routes: [
        {
          id: 'shop',
          path: '/v1/shop/**',
          methods: ['GET', 'POST'],
          upstream: 'shop',
          rewrite: { stripPrefix: '/v1/shop' },
          plugins: [{ rateLimit: { limit: 100, window: '1m' } }],
        },
        { id: 'open', path: '/open', hosts: ['shop.example'], upstream: 'shop', auth: 'none', timeout: '2s' },
      ],
      plugins: ['requestId', { cors: { maxAge: '1h', allowOrigins: ['https://a.example'] } }],
    })
    assert.equal((await runHere(['validate', 'new.yaml'], inFolder(''))).code, 0)
    assert.deepEqual(readdirSync(inFolder('')), ['new.yaml'], 'nothing is left beside it')
  })

  test('change what they name, keep comments and the rest, and say what changed', async (t) => {
    const inFolder = folderOf(t, { 'a.yaml': yaml })
    const run = (...args: string[]) => runHere([...args, '--file', 'a.yaml'], inFolder(''))
    assert.deepEqual(await run('routes', 'set', 'shop', '--limit', '5/1m', '--dry-run'), {
      code: 0,
      out: '~ routes/shop\n    plugins[1].rateLimit.limit: 100 -> 5\ndry run: nothing is changed\n',
      err: '',
    })
    assert.equal(readFileSync(inFolder('a.yaml'), 'utf8'), yaml)
    const { out } = await run('routes', 'set', 'shop', '--limit', '5/1m')
    assert.equal(out, '~ routes/shop\n    plugins[1].rateLimit.limit: 100 -> 5\na.yaml: written\n')
    const written = readFileSync(inFolder('a.yaml'), 'utf8')
    assert.deepEqual(parse(written), parse(yaml.replace('limit: 100', 'limit: 5')))
    assert.deepEqual(written.match(/#.*/g), yaml.match(/#.*/g), 'comments stay')
    assert.equal((await run('routes', 'set', 'shop', '--limit', '5/1m')).out, 'no difference\n')
    await run('routes', 'set', 'shop', '--limit', 'none')
    assert.deepEqual(parse(readFileSync(inFolder('a.yaml'), 'utf8')).routes[0].plugins, [
      { headers: { request: { set: { 'x-a': '1' } } } },
    ])
    assert.equal((await run('routes', 'remove', 'shop')).code, 0)
    assert.equal((await run('upstreams', 'remove', 'shop')).code, 0)
    assert.equal((await run('routes', 'list', '--json')).out, '[]\n')
  })

  const refused: readonly (readonly [line: readonly string[], says: RegExp])[] = [
    [['upstreams', 'remove', 'shop'], /"shop" cannot go: routes\/shop/],
    [
      ['upstreams', 'add', 'shop', 'http://127.0.0.1:1'],
      /there is a "shop" in upstreams already; gateway upstreams set shop changes it/,
    ],
    [
      ['routes', 'add', 'x', '--path', '/x', '--upstream', 'nope'],
      /^a\.yaml:\d+:\d+: routes\[1\]\.upstream: there is no upstream "nope"; known: shop\n$/,
    ],
    [
      ['routes', 'add', 'x', '--path', '/x', '--upstream', 'shop', '--limit', 'lots'],
      /--limit is written 100\/1m/,
    ],
    [
      ['routes', 'add', 'x', '--path', '/x', '--upstream', 'shop', '--auth', 'no'],
      /--auth is required, optional or none, not "no"/,
    ],
    [
      ['routes', 'set', 'shpo', '--limit', '1/1s'],
      /there is no "shpo" in routes of a\.yaml; did you mean "shop"\?/,
    ],
    [['routes', 'set', 'shop'], /nothing to change/],
    [['routes', 'set', 'shop', '--set', 'timeout'], /--set is written KEY=VALUE/],
    [['routes', 'set', 'shop', '--set', '__proto__.a=1'], /cannot set __proto__/],
    [['routes', 'set', 'shop', '--set', 'tiemout=2s'], /unknown key "tiemout"; did you mean "timeout"\?/],
    [['consumers', 'get', 'acm'], /did you mean "acme"\?/],
  ]
  for (const [line, says] of refused)
    test(`refuse ${line.join(' ')}, and leave the file as it is`, async (t) => {
      const inFolder = folderOf(t, { 'a.yaml': yaml })
      const { code, out, err } = await runHere([...line, '--config', 'a.yaml'], inFolder(''))
      assert.deepEqual([code, out], [1, ''])
      assert.match(err, says)
      assert.equal(readFileSync(inFolder('a.yaml'), 'utf8'), yaml)
      assert.deepEqual(readdirSync(inFolder('')), ['a.yaml'])
    })

  test('show one thing as it is written, and lists', async (t) => {
    const inFolder = folderOf(t, { 'a.yaml': yaml })
    const run = async (line: string) =>
      (await runHere([...line.split(' '), '--file', 'a.yaml'], inFolder(''))).out
    assert.deepEqual(parse(await run('upstreams get shop')), {
      shop: { targets: [{ url: 'http://127.0.0.1:3000' }] },
    })
    assert.equal(
      await run('upstreams list'),
      'NAME  TARGETS                BALANCING\nshop  http://127.0.0.1:3000  roundRobin\n',
    )
    assert.deepEqual(JSON.parse(await run('consumers list --json')), [{ id: 'acme' }])
    assert.equal(await run('plugins list'), 'there are no plugins\n')
    assert.match(await run('routes list'), /^PROTOCOL .*\nrest .*\/v1\/shop\/\*\*/)
    assert.equal(existsSync(inFolder('data')), false, 'to look at a file makes no database')
  })
})
