import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { decodeProtectedHeader, jwtVerify } from 'jose'
import { checkApiKeyFormat, hashApiKey } from '../../src/plugins/identity/api-key.ts'
import { folderOf } from '../config/files.ts'
import { startBackend } from '../world.ts'
import { runCli, startCli } from './child.ts'
import { runHere } from './here.ts'

const secret = 'a secret of at least 32 bytes, for tests'
const yaml = `
server: {listen: "127.0.0.1:0", shutdown: {drainDelay: 0s, gracePeriod: 2s}}
upstreams:
  users: {targets: [{url: http://127.0.0.1:1}], healthChecks: {active: {}}, fallback: {upstream: spare}}
  next: {targets: [{url: http://127.0.0.1:1}]}
  shadow: {targets: [{url: http://127.0.0.1:1}]}
  spare: {targets: [{url: http://127.0.0.1:1}]}
routes:
  - {id: users, path: /v1/users/**, methods: [GET, POST], upstream: users, authorize: {roles: [admin], claims: {tenant: [a, b]}}, canary: {upstream: next, steps: [{weight: 5}]}, mirror: {upstream: shadow}, plugins: [{rateLimit: {name: a, limit: 1, window: 1m, by: ip}}]}
  - {id: me, path: /v1/users/me, upstream: next, auth: none, headers: {x-beta: "*"}}
auth: {jwt: [{issuer: https://id.example, audience: api, algorithms: [HS256], secret: "${secret}"}]}
`

/** The table of this configuration. */
const rows = [
  {
    protocol: 'rest',
    methods: 'GET,POST',
    path: '/v1/users/**',
    id: 'users',
    to: 'users (canary next, mirror shadow, fallback spare)',
    auth: 'required',
    plugins: ['rateLimit'],
    needs: ['one of the roles admin', 'the claim tenant: a or b'],
  },
  {
    protocol: 'rest',
    methods: 'ANY',
    path: '/v1/users/me',
    id: 'me',
    to: 'next',
    auth: 'none',
    plugins: [],
    needs: [],
  },
]

interface Case {
  readonly name: string
  readonly args: readonly string[]
  readonly code: number
  readonly out?: string | RegExp
  readonly err?: string | RegExp
}

const explain = ['routes', 'explain', '-c', 'good.yaml']

const cases: readonly Case[] = [
  {
    name: 'validate says that a good configuration is valid',
    args: ['validate', 'good.yaml'],
    code: 0,
    out: 'good.yaml: valid, 2 rows in the routing table\nanswered without an identity: me\n',
  },
  {
    name: 'validate reads gateway.yaml when nothing is named',
    args: ['validate'],
    code: 0,
    out: 'gateway.yaml: valid, 0 rows in the routing table\n',
  },
  {
    name: 'validate lists every mistake of a bad configuration',
    args: ['validate', '--config', 'bad.yaml'],
    code: 1,
    err: 'bad.yaml:1:1: servr: unknown key "servr"; did you mean "server"?\nbad.yaml:2:1: routes: Invalid input: expected array, received object\n',
  },
  {
    name: 'validate says that a file is not there',
    args: ['validate', 'nothing.yaml'],
    code: 1,
    err: "nothing.yaml: cannot be read: ENOENT: no such file or directory, open 'nothing.yaml'\n",
  },
  {
    name: 'start says what is wrong with a bad configuration',
    args: ['start', 'bad.yaml'],
    code: 1,
    err: /^bad\.yaml:1:1: servr: .*\nbad\.yaml:2:1: .*\n$/,
  },
  {
    name: 'routes list shows the table',
    args: ['routes', 'list', '-c', 'good.yaml'],
    code: 0,
    out: 'PROTOCOL  METHODS   PATH          ID     TO                                                  AUTH      PLUGINS    NEEDS\nrest      GET,POST  /v1/users/**  users  users (canary next, mirror shadow, fallback spare)  required  rateLimit  one of the roles admin; the claim tenant: a or b\nrest      ANY       /v1/users/me  me     next                                                none\n',
  },
  {
    name: 'routes list --json shows the table for programs',
    args: ['routes', 'list', '--json', '-c', 'good.yaml'],
    code: 0,
    out: `${JSON.stringify(rows, null, 2)}\n`,
  },
  {
    name: 'routes explain says which route takes a request and why others do not',
    args: [...explain, 'get', '/v1/users/me?x=1'],
    code: 0,
    out: '- rest ANY /v1/users/me [me]: refused, a header that it wants is not there\n> rest GET,POST /v1/users/** [users]: takes it (to users (canary next, mirror shadow, fallback spare); auth required; needs one of the roles admin and the claim tenant: a or b; plugins rateLimit)\n',
  },
  {
    name: 'routes explain minds headers',
    args: [...explain, 'DELETE', '/v1/users/me', '-H', 'X-Beta: 1'],
    code: 0,
    out: '> rest ANY /v1/users/me [me]: takes it (to next; auth none; no plugins of its own)\n- rest GET,POST /v1/users/** [users]: refused, the method differs\n',
  },
  {
    name: 'routes explain says 404',
    args: [...explain, 'GET', '/v2'],
    code: 1,
    out: '404: no route matches this path\n',
  },
  {
    name: 'routes explain says 405 with the methods',
    args: [...explain, 'DELETE', '/v1/users/1'],
    code: 1,
    out: '- rest GET,POST /v1/users/** [users]: refused, the method differs\n405: this path takes GET, HEAD, POST\n',
  },
  {
    name: 'routes explain says that a path hides a slash',
    args: [...explain, 'GET', '/v1/users/a%2Fb'],
    code: 1,
    out: /\[users\]: refused, the path hides a slash \(%2F\) and the route does not set encodedSlash\n404: /,
  },
  {
    name: 'routes explain refuses an unsafe path',
    args: [...explain, 'GET', '/v1/../x'],
    code: 1,
    err: 'gateway: The path holds a dot segment.\n',
  },
  {
    name: 'routes explain --json lists the candidates for programs',
    args: [...explain, 'PUT', '/v1/users/1', '--json'],
    code: 1,
    out: `${JSON.stringify(
      {
        taken: null,
        auth: null,
        needs: [],
        allowed: ['GET', 'HEAD', 'POST'],
        candidates: [{ id: 'users', path: '/v1/users/**', refusal: 'method' }],
      },
      null,
      2,
    )}\n`,
  },
  {
    name: 'routes explain without a path shows how it is used',
    args: [...explain, 'GET'],
    code: 1,
    err: /^gateway: usage: gateway routes explain METHOD PATH \[options\]; it says which route/,
  },
  {
    name: 'keys create without a consumer shows how it is used',
    args: ['keys', 'create'],
    code: 1,
    err: /^gateway: usage: gateway keys create CONSUMER \[options\]; /,
  },
  {
    name: 'token sign says that there is no such issuer',
    args: ['token', 'sign', 'ada', '-c', 'good.yaml', '--issuer', 'x'],
    code: 1,
    err: 'gateway: good.yaml has no issuer with a secret named "x"\n',
  },
  {
    name: 'half a command',
    args: ['graphql'],
    code: 1,
    err: '"graphql" of what? graphql compose, graphql plan, graphql check; gateway --help explains them\n',
  },
  {
    name: 'an unknown command',
    args: ['routes', 'lsit'],
    code: 1,
    err: 'unknown command "routes lsit"; did you mean "gateway routes list"? gateway --help lists them\n',
  },
  {
    name: 'an unknown command that is near to another',
    args: ['valdiate', 'good.yaml'],
    code: 1,
    err: 'unknown command "valdiate good.yaml"; did you mean "gateway validate"? gateway --help lists them\n',
  },
  {
    name: 'an unknown command that is near to none',
    args: ['xyzzy'],
    code: 1,
    err: 'unknown command "xyzzy"; gateway --help lists them\n',
  },
  {
    name: 'an unknown option',
    args: ['validate', '--colour'],
    code: 1,
    err: 'gateway: gateway validate takes no option --colour. It takes --config, --print, --json, --help.\n',
  },
  {
    name: 'an option of another command names those that there are',
    args: ['validate', '--prnt'],
    code: 1,
    err: /^gateway: gateway validate takes no option --prnt; did you mean --print\? It takes --config,/,
  },
  {
    name: 'an option without its value',
    args: ['validate', '--config'],
    code: 1,
    err: /^gateway: .*--config <value>.* argument missing\n$/,
  },
  {
    name: 'more words than a command takes',
    args: ['schema', 'good.yaml'],
    code: 1,
    err: /^gateway: usage: gateway schema; it prints the JSON schema/,
  },
  {
    name: 'validate --json says that a configuration is valid for programs',
    args: ['validate', 'good.yaml', '--json'],
    code: 0,
    out: `${JSON.stringify({ valid: true, problems: [], rows: 2, open: ['me'] }, null, 2)}\n`,
  },
  {
    name: 'validate --json lists the mistakes for programs',
    args: ['validate', 'bad.yaml', '--json'],
    code: 1,
    out: /^\{\n {2}"valid": false,\n {2}"problems": \[[\s\S]*"line": 2,\n {6}"column": 1,\n {6}"path": "routes"/,
  },
  {
    name: 'no command shows the usage',
    args: [],
    code: 0,
    out: /^gateway <command>[\s\S]*Exit code: 0 done or no difference, 1 error, 2 differences, or clients would break\.\n$/,
  },
  { name: '--help shows the usage', args: ['--help'], code: 0, out: /^gateway <command>/ },
  {
    name: 'COMMAND --help explains the command',
    args: ['routes', 'explain', '--help'],
    code: 0,
    out: /^gateway routes explain METHOD PATH \[options\]\n\n {2}says which route[\s\S]*\nOptions\n[\s\S]*-H, --header 'NAME: VALUE' {2}[\s\S]*\nExamples\n {2}gateway routes explain GET/,
  },
  {
    name: 'help COMMAND does likewise',
    args: ['help', 'schema'],
    code: 0,
    out: /^gateway schema\n\n {2}prints the JSON schema/,
  },
  {
    name: 'help of half a command lists what begins so',
    args: ['help', 'graphql'],
    code: 0,
    out: /graphql compose[\s\S]*graphql plan[\s\S]*graphql check/,
  },
  {
    name: 'completion for a shell that there is none for',
    args: ['completion', 'tcsh'],
    code: 1,
    err: 'gateway: completion is written for bash, zsh, fish, not for "tcsh"\n',
  },
]

describe('a command line', () => {
  for (const { name, args, code, out = '', err = '' } of cases) {
    test(name, async (t) => {
      const inFolder = folderOf(t, {
        'good.yaml': yaml,
        'gateway.yaml': '{}',
        'bad.yaml': 'servr: {}\nroutes: {}\n',
      })
      const ended = await runHere(args, inFolder(''))
      for (const [found, expected] of [
        [ended.out, out],
        [ended.err, err],
      ] as const) {
        if (typeof expected === 'string') assert.equal(found, expected)
        else assert.match(found, expected)
      }
      assert.equal(ended.code, code)
    })
  }
})

describe('the commands', { concurrency: 3 }, () => {
  test('validate --print shows every default, and no secret', async (t) => {
    const hash = `sha256:${'ab'.repeat(32)}`
    const file = folderOf(t, { 'a.yaml': `${yaml}consumers: [{id: c, keys: [{hash: "${hash}"}]}]\n` })(
      'a.yaml',
    )
    const { code, out, err } = await runCli(['validate', file, '--print'])
    assert.deepEqual([code, err], [0, ''])
    assert.ok(!out.includes(secret) && !out.includes(hash))
    const shown = JSON.parse(out) as { auth: { jwt: object[] }; routes: object[]; server: { limits: object } }
    assert.deepEqual(shown.auth.jwt[0], {
      issuer: 'https://id.example',
      audience: 'api',
      algorithms: ['HS256'],
      secret: '***',
      clockSkew: 30_000,
      maxBytes: 8_192,
      requiredClaims: [],
      claims: { user: 'sub', name: 'name', roles: 'roles', scopes: 'scope' },
    })
    assert.partialDeepStrictEqual(shown.routes[1], { id: 'me', forwardCredentials: false, methods: [] })
    assert.partialDeepStrictEqual(shown.server.limits, { bodyBytes: 10_485_760 })
  })

  test('validate probes no backend and opens no connection', async (t) => {
    const backend = await startBackend(t)
    let connections = 0
    backend.server.on('connection', () => connections++)
    const redis = `stores: {redis: {url: "redis://127.0.0.1:${backend.port}"}}\n`
    const file = folderOf(t, { 'a.yaml': redis + yaml.replace('http://127.0.0.1:1', backend.url) })('a.yaml')
    assert.equal((await runCli(['validate', file])).code, 0)
    assert.equal(connections, 0)
  })

  test('keys create shows a key once, and the hash that belongs into the configuration', async () => {
    const { code, out } = await runCli(['keys', 'create', 'acme', '--offline', '--json'])
    const made = JSON.parse(out) as { consumer: string; key: string; hash: string }
    assert.deepEqual([code, made.consumer, checkApiKeyFormat(made.key)], [0, 'acme', 'own'])
    assert.equal(made.hash, hashApiKey(made.key))
    const shown = await runCli(['keys', 'create', 'acme', '--offline'])
    assert.match(
      shown.out,
      /^key \(shown this once\): gwk_live_\w+\n\nconsumers:\n {2}- id: acme\n {4}keys:\n {6}- hash: sha256:[0-9a-f]{64}\n {8}prefix: gwk_live_[0-9a-f]{8}\n$/,
    )
  })

  test('token sign makes a token that the issuer of the configuration would have made', async (t) => {
    const file = folderOf(t, { 'a.yaml': yaml })('a.yaml')
    const { code, out } = await runCli([
      'token',
      'sign',
      'ada',
      '--role',
      'admin',
      '--role',
      'reader',
      '--scope',
      'books',
      '--scope',
      'shelves',
      '-c',
      file,
    ])
    assert.equal(code, 0)
    const token = out.trim()
    assert.equal(decodeProtectedHeader(token).alg, 'HS256')
    const { payload } = await jwtVerify(token, new TextEncoder().encode(secret), {
      issuer: 'https://id.example',
      audience: 'api',
    })
    assert.deepEqual([payload.sub, payload.roles], ['ada', ['admin', 'reader']])
    assert.equal(payload.scope, 'books shelves')
    assert.equal((payload.exp ?? 0) - (payload.iat ?? 0), 3_600)
  })

  test('token sign says that the secret is empty', async (t) => {
    const file = folderOf(t, { 'a.yaml': yaml.replace(`secret: "${secret}"`, 'secret: ""') })('a.yaml')
    const { code, err } = await runCli(['token', 'sign', 'ada', '-c', file])
    assert.equal(code, 1)
    assert.match(err, /a\.yaml: the secret of https:\/\/id\.example is empty\n$/)
  })

  test('schema prints the JSON schema', async () => {
    const { code, out } = await runCli(['schema'])
    const { title, $schema } = JSON.parse(out) as Record<string, unknown>
    assert.deepEqual(
      [code, title, $schema],
      [0, 'Trivium gateway configuration', 'https://json-schema.org/draft/2020-12/schema'],
    )
  })

  test('start says in one line that its port is taken, and ends', async (t) => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    t.after(() => other.close())
    const { port } = other.address() as AddressInfo
    const file = folderOf(t, { 'a.yaml': yaml.replace('drainDelay: 0s', 'drainDelay: 20s') })('a.yaml')
    const { code, out, err } = await runCli(['start', file, '--port', String(port)])
    assert.deepEqual(
      [code, err],
      [
        1,
        `port ${port} on 127.0.0.1 is taken by another process; choose another with --port or server.listen\n`,
      ],
    )
    assert.equal(out, '')
  })

  test('start refuses a port that is none', async (t) => {
    const file = folderOf(t, { 'a.yaml': yaml })('a.yaml')
    const { code, err } = await runCli(['start', file, '--port', 'http'])
    assert.deepEqual([code, err], [1, 'gateway: --port must be 0 to 65535, not "http"\n'])
  })

  test('start listens, reloads on SIGHUP, and ends with 0 on SIGTERM', async (t) => {
    const inFolder = folderOf(t, { 'gateway.yaml': yaml })
    const gateway = await startCli(t, inFolder('gateway.yaml'))
    assert.equal((await fetch(`${gateway.url}/v1/users/1`)).status, 401)
    // Nothing changed on disk: the new version is there because of the signal.
    gateway.child.kill('SIGHUP')
    const applied = await gateway.logged((line) => line.message === 'configuration applied')
    assert.equal(applied.build, 2)
    writeFileSync(inFolder('gateway.yaml'), 'servr: {}')
    gateway.child.kill('SIGHUP')
    const refused = await gateway.logged((line) => String(line.message).startsWith('configuration refused'))
    assert.match(String(refused.problems), /unknown key "servr"/)
    assert.equal((await fetch(`${gateway.url}/v1/users/1`)).status, 401)
    gateway.child.kill('SIGTERM')
    assert.equal(await gateway.ended, 0)
    assert.equal(gateway.lines().at(-1)?.message, 'stopped')
  })
})
