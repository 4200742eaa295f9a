import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { isCredential } from '../../../src/front-ends/grpc/metadata-rules.ts'
import { type House, noHooks, openPolicy } from './harness.ts'
import { kitchenHouse, startKitchen } from './kitchen.ts'

let kitchen: Awaited<ReturnType<typeof startKitchen>>
let house: House

before(async () => {
  kitchen = await startKitchen()
  const hooks = { ...noHooks, onCall: [pushHeaders] }
  house = await kitchenHouse(kitchen.url, { hooks })
})
after(async () => {
  await house.close()
  kitchen.close()
})

function pushHeaders(_x: unknown, call: { readonly headers: string[] }): void {
  call.headers.push(
    'X-User-ID',
    'user-1',
    'X-User-Name',
    'Łukasz \ud800',
    'Bad Name',
    'x',
    'Connection',
    'close',
    'grpc-encoding',
    'br',
  )
}

test('Grpc-Metadata-* passes without its prefix, binary values in base64', async () => {
  const { json } = await house.ask('GET', '/v1/metadata', {
    headers: { 'Grpc-Metadata-X-Shelf': '7', 'Grpc-Metadata-X-Raw-Bin': 'AP8' },
  })
  assert.equal(json.metadata['x-shelf'], '7')
  assert.equal(json.metadata['x-raw-bin'], 'AP8=')
})

test('a binary value that is not base64 is refused as 400', async () => {
  const { status } = await house.ask('GET', '/v1/metadata', { headers: { 'Grpc-Metadata-X-Raw-Bin': '%%' } })
  assert.equal(status, 400)
})

for (const name of [
  'X-User-ID',
  'x-user-id',
  'X_User_ID',
  'X-User-Role',
  'X-Forwarded-For',
  'Grpc-Status',
  'grpc-timeout',
  'Content-Type',
  'TE',
  'Host',
  'Authorization',
  'X-API-Key',
]) {
  test(`Grpc-Metadata-${name} does not reach the backend`, async () => {
    const { status, json } = await house.ask('GET', '/v1/metadata', {
      headers: { [`Grpc-Metadata-${name}`]: 'evil' },
    })
    assert.equal(status, 200)
    assert.equal(
      Object.values(json.metadata).some((value) => String(value).includes('evil')),
      false,
      JSON.stringify(json),
    )
  })
}

test('plain request headers do not become metadata', async () => {
  const { json } = await house.ask('GET', '/v1/metadata', {
    headers: { 'X-Shelf': '7', Cookie: 'a=b', authorization: 'Bearer x' },
  })
  assert.deepEqual(
    [json.metadata['x-shelf'], json.metadata.cookie, json.metadata.authorization],
    [undefined, undefined, undefined],
  )
})

const credentialNames: readonly [name: string, is: boolean][] = [
  ['authorization', true],
  ['x-api-key', true],
  ['x_api_key', true],
  ['cookie', true],
  ['x-shop-key', true],
  ['x_shop-key', true],
  ['x-shop-keys', false],
  ['x-tenant', false],
]
for (const [name, is] of credentialNames) {
  test(`beside the key header x-shop-key, ${name} carries ${is ? '' : 'no '}credentials`, () => {
    assert.equal(isCredential(name, new Set(['x-shop-key'])), is)
  })
}

test('credentials pass where the policy says so', async () => {
  const trusting = await kitchenHouse(kitchen.url, {
    more: { policy: { ...openPolicy, forwardCredentials: true } },
  })
  const { json } = await trusting.ask('GET', '/v1/metadata', { headers: { authorization: 'Bearer x' } })
  await trusting.close()
  assert.equal(json.metadata.authorization, 'Bearer x')
})

test('what plugins push arrives, and what gRPC cannot carry is encoded or left out', async () => {
  const { status, json } = await house.ask('GET', '/v1/metadata')
  assert.equal(status, 200)
  assert.equal(json.metadata['x-user-id'], 'user-1')
  assert.equal(json.metadata['x-user-name'], '%C5%81ukasz %EF%BF%BD')
  assert.deepEqual(
    [json.metadata.connection, json.metadata['bad name'], json.metadata['grpc-encoding']],
    [undefined, undefined, undefined],
  )
})

test('the backend learns where the request came from', async () => {
  const { json } = await house.ask('GET', '/v1/metadata', { headers: { 'X-Forwarded-For': '1.2.3.4' } })
  assert.deepEqual(
    [json.metadata['x-forwarded-for'], json.metadata['x-gateway'], json.metadata.via],
    ['127.0.0.1', 'trivium', '1.1 trivium'],
  )
})

test('initial metadata of the answer becomes Grpc-Metadata-*, and HTTP headers of the backend do not', async () => {
  const { headers } = await house.ask('GET', '/v1/metadata')
  assert.deepEqual([headers['grpc-metadata-x-shelf'], headers['grpc-metadata-x-bytes-bin']], ['7', 'AP8='])
  const names = Object.keys(headers).filter((name) => name.startsWith('grpc-'))
  assert.deepEqual(names.sort(), ['grpc-metadata-x-bytes-bin', 'grpc-metadata-x-shelf'])
})
