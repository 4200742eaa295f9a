import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Client, credentials, type ServiceError } from '@grpc/grpc-js'
import { makeAuthority } from '../../../certificates.ts'
import { openNative } from './native-world.ts'

const authority = makeAuthority()
const server = { tls: { listen: '127.0.0.1:0', ...authority.issue(['localhost', 'IP:127.0.0.1']) } }

async function open(t: TestContext, ca: string) {
  const world = await openNative(t, { auth: 'none' }, { server })
  const address = new URL(world.gateway.tlsUrl as string).host
  const client = new Client(address, credentials.createSsl(Buffer.from(ca)))
  t.after(() => client.close())
  return { ...world, client }
}

test('a stream of messages comes over TLS', async (t) => {
  const { client, method } = await open(t, authority.cert)
  const { path, requestSerialize, responseDeserialize } = method('Count')
  const stream = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, { to: 3 })
  const numbers: unknown[] = []
  for await (const one of stream) numbers.push((one as { number: unknown }).number)
  assert.deepEqual(numbers, [1, 2, 3])
})

test('so does a unary call', async (t) => {
  const { client, method } = await open(t, authority.cert)
  const { path, requestSerialize, responseDeserialize } = method('Echo')
  const error = await new Promise<ServiceError | null>((resolve) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, {}, (failure) => resolve(failure))
  })
  assert.equal(error, null)
})

test('a client that does not know the authority does not call', async (t) => {
  const { client, method, seen } = await open(t, makeAuthority('a stranger').cert)
  const { path, requestSerialize, responseDeserialize } = method('Echo')
  const error = await new Promise<ServiceError | null>((resolve) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, {}, (failure) => resolve(failure))
  })
  assert.equal(error?.code, 14)
  assert.equal(seen.calls, 0)
})
