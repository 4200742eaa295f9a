import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, test } from 'node:test'
import { fetchText } from '../../../../src/front-ends/graphql/supergraph/supergraph-url.ts'
import { composeSupergraph } from '../../../../src/front-ends/graphql/supergraph.ts'
import { startBackend, startGateway } from '../../../world.ts'
import { changingSubgraph, link } from './changing-subgraph.ts'

const users = `${link}type Query { me: User } type User @key(fields: "id") { id: ID! name: String }`
const me = { me: { __typename: 'User', id: '1', name: 'Ada' } }

type Handler = (req: IncomingMessage, res: ServerResponse) => void

const options = { intervalMs: 100, timeoutMs: 60_000, maxBytes: 1_000, headers: {} }

describe('a supergraph that is fetched', { concurrency: 2 }, () => {
  const cases: readonly { name: string; serve: Handler; says: RegExp; timeoutMs?: number }[] = [
    { name: 'status 500', serve: (_, res) => res.writeHead(500).end('x'), says: /^answered 500$/ },
    { name: 'status 404', serve: (_, res) => res.writeHead(404).end('x'), says: /^answered 404$/ },
    {
      name: 'a redirect, which would take the secret elsewhere',
      serve: (_, res) => res.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
      says: /^answered 302, and is not followed elsewhere$/,
    },
    {
      name: '304 to one who knows nothing',
      serve: (_, res) => res.writeHead(304).end(),
      says: /^answered 304/,
    },
    { name: 'nothing', serve: (_, res) => res.end('\n '), says: /^answered with nothing$/ },
    {
      name: 'more than is allowed, without end',
      serve: (_, res) => {
        const more = (): void => {
          if (!res.destroyed) res.write('#'.repeat(65_536), () => setImmediate(more))
        }
        more()
      },
      says: /^answered with more than 1000 bytes$/,
    },
    { name: 'no answer', serve: () => {}, says: /^did not answer within 200 ms$/, timeoutMs: 200 },
    {
      name: 'an answer without end',
      serve: (_, res) => void res.write('type Query {'),
      says: /^did not answer within 200 ms$/,
      timeoutMs: 200,
    },
    {
      name: 'a connection that breaks',
      serve: (_, res) => {
        res.writeHead(200, { 'content-length': '900' }).write('type')
        setTimeout(() => res.destroy(), 20)
      },
      says: /^cannot be reached: /,
    },
  ]
  for (const { name, serve, says, timeoutMs = options.timeoutMs } of cases) {
    test(`is not had from ${name}`, async (t) => {
      const { url } = await startBackend(t, serve)
      await assert.rejects(fetchText({ ...options, url, timeoutMs }, undefined), (error: Error) => {
        assert.match(error.message, says)
        return true
      })
    })
  }

  test('is not had where nobody listens', async () => {
    await assert.rejects(
      fetchText({ ...options, url: 'http://127.0.0.1:1/' }, undefined),
      /^Error: cannot be reached: .*ECONNREFUSED/,
    )
  })

  test('is asked for by its tag, and nothing is sent twice', async (t) => {
    const { url, requests } = await startBackend(t, (req, res) => {
      if (req.headers['if-none-match'] === '"1"') res.writeHead(304).end()
      else res.writeHead(200, { etag: '"1"' }).end('type Query { a: Int }')
    })
    const headers = { authorization: 'Bearer secret' }
    const first = await fetchText({ ...options, url, headers }, undefined)
    assert.deepEqual(first, { text: 'type Query { a: Int }', tag: '"1"' })
    assert.equal(await fetchText({ ...options, url, headers }, first), undefined)
    assert.deepEqual(
      requests.map((req) => [req.headers.authorization, req.headers['if-none-match']]),
      [
        ['Bearer secret', undefined],
        ['Bearer secret', '"1"'],
      ],
    )
  })

  test('takes over when it changes; what is broken or does not load changes nothing', async (t) => {
    const a = await changingSubgraph(t, users, me)
    let { supergraphSdl: sdl } = await composeSupergraph([{ name: 'a', sdl: users }])
    const source = await startBackend(t, (_, res) => res.end(sdl))
    const ask = async (query: string): Promise<number> => {
      const body = JSON.stringify({ query })
      const headers = { 'content-type': 'application/json', accept: 'application/graphql-response+json' }
      const answer = await fetch(`${gateway.url}/graphql`, { method: 'POST', headers, body })
      return answer.status
    }
    const gateway = await startGateway(t, {
      upstreams: { a: { targets: [{ url: a.url }] } },
      graphql: {
        auth: 'none',
        subgraphs: { a: { upstream: 'a' } },
        supergraphUrl: {
          url: `${source.url}/super?key=hidden`,
          interval: '100ms',
          timeout: '60s',
          token: 'for-super',
        },
      },
    })
    assert.equal(await ask('{ me { name } }'), 200)
    assert.equal(source.requests[0]?.headers.authorization, 'Bearer for-super')
    const good = sdl
    const broken = {
      'no GraphQL at all': ['<h1>Bad gateway</h1>', /Syntax Error/],
      'a schema that is no supergraph': ['type Query { a: Int }', /./],
      'a supergraph of somebody else': [
        good.replaceAll('name: "a"', 'name: "b"'),
        /subgraph "b" that is not configured/,
      ],
      'half a supergraph': [good.slice(0, good.length / 2), /Syntax Error/],
    } as const
    for (const [name, [text, says]] of Object.entries(broken)) {
      const before = gateway.logs.length
      sdl = text
      const isNew = (line: Record<string, unknown>): boolean =>
        gateway.logs.indexOf(line) >= before &&
        String(line.message).startsWith('the new supergraph is refused')
      assert.match(String((await gateway.logged(isNew)).problems), says, name)
      assert.equal(await ask('{ me { name } }'), 200, name)
    }
    a.change(users.replace('name:', 'age: Int name:'))
    sdl = (await composeSupergraph([{ name: 'a', sdl: users.replace('name:', 'age: Int name:') }]))
      .supergraphSdl
    await gateway.logged(({ message }) => message === 'supergraph applied')
    assert.equal(await ask('{ me { age } }'), 200)
    assert.ok(!JSON.stringify(gateway.logs).includes('hidden'))
    assert.ok(!JSON.stringify(gateway.logs).includes('for-super'))
  })
})
