import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { convert } from '../../src/convert/convert.ts'
import { runHere } from '../cli/here.ts'
import { folderOf } from '../config/files.ts'
import { startBackend, startGateway } from '../world.ts'

const folder = fileURLToPath(new URL('examples/', import.meta.url))

/** Converts an example by the command, as people do, and has the result checked. */
async function converted(t: TestContext, from: string, file: string) {
  const inFolder = folderOf(t, { [file]: readFileSync(folder + file, 'utf8') })
  const made = await runHere(['convert', '--from', from, file, '-o', 'gateway.yaml'], inFolder(''))
  assert.equal(made.code, 2, made.err)
  const checked = await runHere(['validate'], inFolder(''))
  assert.equal(checked.code, 0, checked.err)
  const notes = made.err
    .trimEnd()
    .split('\n')
    .map((line) => /^\S+?:\d+:\d+: (.*)$/.exec(line)?.[1] ?? `? ${line}`)
  return { notes, yaml: readFileSync(inFolder('gateway.yaml'), 'utf8') }
}

describe('gateway convert', () => {
  test('makes a decK file of Kong into routes that do the same, and names what it leaves out', async (t) => {
    const { notes, yaml } = await converted(t, 'kong', 'kong.yaml')
    assert.deepEqual(notes, [
      'services[0].plugins[1]: the plugin "datadog" is not converted',
      'services[0].routes[0]: the regular expression /v1/people/(?<id>\\d+)$ is not converted: write a path template (/v1/*/items/**)',
      'services[0].routes[1].headers.x-beta: only one value of a header is matched: the first',
      "services[1].routes[0].preserve_host: upstreams get their own Host; the client's is in X-Forwarded-Host",
      'services[1].routes[0].plugins[0]: the plugin "openid-connect" is not converted; the route needs an identity all the same',
      'upstreams[1]: upstream "nobody" is the host of no service: left out',
      'consumers[1].basicauth_credentials: is not converted',
      'consumers[2].jwt_secrets[0]: tokens must name an audience here: write it in place of "change-me" in auth.jwt',
      'consumers[2].jwt_secrets[1]: its secret has less than 32 bytes, too few for HMAC (RFC 7518 section 3.2): left out',
      'plugins[2].config.header_name: the id is in X-Request-Id',
      'plugins[3]: "file-log" is disabled: left out',
    ])
    assert.ok(!yaml.includes('the key of ann'), 'keys stand in it by their hashes')
    const backend = await startBackend(t)
    const { url } = await startGateway(t, {
      ...parse(yaml.replaceAll('http://127.0.0.1:1', backend.url).replace('path: /health', 'path: /')),
      server: { listen: '127.0.0.1:0' },
    })
    const get = (path: string, headers = {}) => fetch(url + path, { headers })
    const ann = { 'x-shop-key': 'the key of ann', 'x-debug': '1' }
    assert.equal((await get('/v1/users/42')).status, 401)
    assert.equal(
      (await get('/v1/users/42', { 'x-shop-key': 'the key of bob' })).status,
      403,
      'he is no staff',
    )
    const seen = (await (await get('/v1/users/42', ann)).json()) as {
      url: string
      headers: Record<string, string>
    }
    assert.equal(seen.url, '/api/42?via=gateway')
    assert.deepEqual(
      [seen.headers['x-from'], seen.headers['x-kind'], seen.headers['x-debug']],
      ['kong', 'user', undefined],
    )
    for (let count = 2; count <= 3; count++) assert.equal((await get('/v1/users/42', ann)).status, 200)
    assert.equal((await get('/v1/users/42', ann)).status, 429, 'three a minute')
    assert.equal((await get('/open')).status, 404, 'only with its header and host')
    assert.equal((await get('/orders')).status, 401)
    const closed = await get('/closed')
    assert.deepEqual([closed.status, await closed.json()], [410, { message: 'gone for good' }])
  })

  test('makes an apisix.yaml into routes that do the same, and names what it leaves out', async (t) => {
    const { notes, yaml } = await converted(t, 'apisix', 'apisix.yaml')
    assert.deepEqual(notes, [
      'routes[1].plugins.serverless-pre-function: the plugin "serverless-pre-function" is not converted',
      'routes[2].plugins.openid-connect: the plugin "openid-connect" is not converted; the route needs an identity all the same',
      'routes[4]: is disabled (status 0): left out',
      'routes[5].vars: the condition is not converted, and the route would take more without it: left out',
      'consumers[1].plugins.jwt-auth: tokens of a consumer are known by a claim "key" there and by an issuer here: write it in auth.jwt',
      'ssls: is not converted',
    ])
    const backend = await startBackend(t)
    const { url } = await startGateway(t, {
      ...parse(yaml.replaceAll('http://127.0.0.1:1\n', `${backend.url}\n`)),
      server: { listen: '127.0.0.1:0' },
    })
    const get = (path: string, headers = {}) => fetch(url + path, { headers, redirect: 'manual' })
    const ann = { 'x-shop-key': 'the key of ann', 'x-debug': '1' }
    assert.equal((await get('/v1/users/42')).status, 401)
    const seen = (await (await get('/v1/users/42', ann)).json()) as {
      url: string
      headers: Record<string, string>
    }
    assert.deepEqual(
      [seen.url, seen.headers['x-from'], seen.headers['x-debug']],
      ['/api/users', 'apisix', undefined],
    )
    for (let count = 2; count <= 3; count++) assert.equal((await get('/v1/users/42', ann)).status, 200)
    assert.equal((await get('/v1/users/42', ann)).status, 429)
    const gone = await get('/gone')
    assert.deepEqual([gone.status, await gone.text()], [410, 'gone'])
    assert.equal((await get('/items/1')).status, 401)
    assert.equal((await get('/old')).status, 404, 'never wider than it was')
    assert.equal((await get('/off')).status, 404)
  })

  for (const version of ['3.0.3', '3.1.0']) {
    test(`makes OpenAPI ${version} into routes that hold requests to it`, async (t) => {
      const text = readFileSync(`${folder}petstore.yaml`, 'utf8').replace('3.0.3', version)
      const inFolder = folderOf(t, { 'petstore.yaml': text })
      const made = await runHere(
        ['convert', '--from', 'openapi', 'petstore.yaml', '-o', 'gateway.yaml', '--json'],
        inFolder(''),
      )
      const { notes } = JSON.parse(made.out) as { notes: readonly { path: string }[] }
      assert.deepEqual(
        notes.map(({ path }) => path),
        ['servers', 'paths./pets/{petId}.json', 'components.securitySchemes.petstore_auth'],
      )
      const checked = await runHere(['routes', 'list', '--json', '-c', 'gateway.yaml'], inFolder(''))
      assert.deepEqual(
        (JSON.parse(checked.out) as Record<string, unknown>[]).map(({ methods, path, auth, needs }) => [
          methods,
          path,
          auth,
          needs,
        ]),
        [
          ['GET', '/v2/pets', 'none', []],
          ['POST', '/v2/pets', 'required', ['the scopes write:pets']],
          ['GET,DELETE', '/v2/pets/{petId}', 'required', []],
        ],
      )
      const backend = await startBackend(t)
      const yaml = readFileSync(inFolder('gateway.yaml'), 'utf8').replace('https://pets.example', backend.url)
      const listen = 'server: { listen: "127.0.0.1:0" }\n'
      const { url } = await startGateway(
        t,
        {},
        { file: folderOf(t, { 'petstore.yaml': text, 'gateway.yaml': listen + yaml })('gateway.yaml') },
      )
      assert.equal((await fetch(`${url}/v2/pets?limit=10`)).status, 200)
      assert.equal((await fetch(`${url}/v2/pets?limit=1000`)).status, 400)
      assert.equal((await fetch(`${url}/v2/pets/1`)).status, 401)
    })
  }

  test('says what is wrong with a file, and what it takes', async (t) => {
    const inFolder = folderOf(t, { 'half.yaml': 'services: [\n', 'list.yaml': '- a\n' })
    for (const [args, says] of [
      [['--from', 'kong', 'half.yaml'], /half\.yaml:\d+:\d+: /],
      [
        ['--from', 'nginx', 'half.yaml'],
        /--from says what half\.yaml is: kong, apisix, openapi, not "nginx"/,
      ],
      [['half.yaml'], /--from says what/],
      [['--from', 'kong', 'none.yaml'], /none\.yaml cannot be read/],
    ] as const) {
      const { code, err } = await runHere(['convert', ...args], inFolder(''))
      assert.equal(code, 1)
      assert.match(err, says)
    }
    assert.equal((await runHere(['convert', '--from', 'kong', 'list.yaml'], inFolder(''))).code, 2)
  })

  test('names every key that it does not know, wherever it stands', () => {
    const strange = {
      services: [
        {
          name: 'a',
          url: 'http://a',
          odd: 1,
          routes: [
            { name: 'r', paths: ['/r'], odd: 2, plugins: [{ name: 'cors', odd: 3, config: { odd: 4 } }] },
          ],
        },
      ],
      upstreams: [{ name: 'a', targets: [{ target: 'b:1', odd: 5 }], odd: 6 }],
      consumers: [{ username: 'c', odd: 7 }],
      odd: 8,
    }
    const { notes } = convert({ from: 'kong', file: 'a', reference: 'a', text: JSON.stringify(strange) })
    assert.equal(notes.filter(({ path }) => path.endsWith('odd')).length, 8)
  })
})
