import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  Client,
  credentials,
  type Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { folderOf } from '../../config/files.ts'
import { mirrored, mirrorFigures } from '../../traffic/mirror-world.ts'
import { startGateway } from '../../world.ts'

interface Note {
  readonly text: string
}

const proto = `syntax = "proto3";
package notes.v1;
import "google/api/annotations.proto";
message Note { string text = 1; }
service Notes {
  rpc Add(Note) returns (Note) { option (google.api.http) = {post: "/v1/notes" body: "*"}; }
  rpc Watch(Note) returns (stream Note) { option (google.api.http) = {get: "/v1/notes:watch"}; }
}
`

/** What a server was asked: the message and its metadata. */
type Asked = readonly [text: string, metadata: Metadata]

async function startServer(t: TestContext, service: ServiceDefinition) {
  const asked: Asked[] = []
  const server = new Server()
  server.addService(service, {
    Add: ({ request, metadata }: ServerUnaryCall<Note, Note>, reply: sendUnaryData<Note>) => {
      asked.push([request.text, metadata])
      reply(null, request)
    },
    Watch: (call: ServerWritableStream<Note, Note>) => {
      asked.push([call.request.text, call.metadata])
      call.write(call.request)
      call.end()
    },
  })
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  t.after(() => server.forceShutdown())
  return { url: `http://127.0.0.1:${port}`, asked }
}

async function open(t: TestContext) {
  const file = folderOf(t, { 'notes.proto': proto })('notes.proto')
  const definitions = loadSync(file, { includeDirs: ['node_modules/google-proto-files'] })
  const service = definitions['notes.v1.Notes'] as ServiceDefinition
  const first = await startServer(t, service)
  const second = await startServer(t, service)
  const { url, port } = await startGateway(t, {
    plugins: ['metrics'],
    upstreams: { first: { targets: [{ url: first.url }] }, second: { targets: [{ url: second.url }] } },
    grpc: {
      protos: [file],
      services: {
        'notes.v1.Notes': { upstream: 'first', auth: 'none', mirror: { upstream: 'second', compare: true } },
      },
    },
  })
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure())
  t.after(() => client.close())
  return {
    url,
    first,
    second,
    client,
    service,
    mirrored: (count: number) => mirrored(url, 'grpc/notes.v1.Notes', count),
    figures: () => mirrorFigures(url, 'grpc/notes.v1.Notes'),
  }
}

const text = 'ä'.repeat(5_000)

test('the message of a transcoded call is mirrored, of a writing one too', async (t) => {
  const { url, first, second, mirrored } = await open(t)
  const reply = await fetch(`${url}/v1/notes`, {
    method: 'POST',
    body: JSON.stringify({ text }),
    headers: { 'Content-Type': 'application/json', 'Grpc-Metadata-Own': 'kept' },
  })
  assert.equal((await reply.json()).text, text)
  assert.equal((await mirrored(1)).same, 1)
  const [[[wanted, at] = []], [[sent, mark] = []]] = [first.asked, second.asked]
  assert.equal(sent, wanted)
  assert.deepEqual([at?.get('own'), mark?.get('own')], [['kept'], ['kept']])
  assert.deepEqual([at?.get('x-gateway-mirror'), mark?.get('x-gateway-mirror')], [[], ['true']])
})

test('a message that is too large is not mirrored', async (t) => {
  const { url, first, second, figures } = await open(t)
  const body = JSON.stringify({ text: 'x'.repeat(70_000) })
  const init = { method: 'POST', body, headers: { 'Content-Type': 'application/json' } }
  assert.equal((await fetch(`${url}/v1/notes`, init)).status, 200)
  assert.equal((await figures()).skipped, 1)
  assert.deepEqual([first.asked.length, second.asked.length], [1, 0])
})

test('the message of a native call is mirrored, and its streams are not', async (t) => {
  const { client, service, first, second, mirrored, figures } = await open(t)
  const { Add, Watch } = service
  assert.ok(Add !== undefined && Watch !== undefined)
  const added = await new Promise<Note | undefined>((resolve, reject) => {
    client.makeUnaryRequest(
      Add.path,
      Add.requestSerialize,
      Add.responseDeserialize,
      { text },
      (error, note) => (error === null ? resolve(note as Note) : reject(error)),
    )
  })
  assert.equal(added?.text, text)
  assert.equal((await mirrored(1)).same, 1)
  const watching = client.makeServerStreamRequest(
    Watch.path,
    Watch.requestSerialize,
    Watch.responseDeserialize,
    { text: 'stream' },
  )
  for await (const note of watching) assert.equal((note as Note).text, 'stream')
  assert.deepEqual(
    [first, second].map(({ asked }) => asked.map(([what]) => what)),
    [[text, 'stream'], [text]],
  )
  assert.deepEqual(Object.values(await figures()), [0, 1, 0, 0, 0])
})
