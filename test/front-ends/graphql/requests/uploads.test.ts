import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { buildSubgraphSchema } from '@apollo/subgraph'
import { Busboy } from '@fastify/busboy'
import { parse } from 'graphql'
import { createYoga } from 'graphql-yoga'
import { startGateway, type TestGateway } from '../../../world.ts'

const sdl = (name: string): string => `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@shareable"])
  scalar Upload
  type Stored @shareable { name: String type: String bytes: Int sha256: String }
  input Page { title: String image: Upload }
  type Query { ${name}Hello: String ${name}Measure(file: Upload!): Stored }
  type Subscription { ${name}Watch(file: Upload!): String }
  type Mutation {
    ${name}Store(file: Upload!): Stored
    ${name}StoreAll(files: [Upload!]!): [Stored]
    ${name}Page(page: Page!): Stored
    ${name}Note(text: String): String
  }`

interface Storage {
  readonly url: string
  /** The heads of its requests, oldest first. */
  readonly heads: IncomingHttpHeaders[]
  /** Reads the file of a request, and answers with its size and hash, instead of the server while it is set: that one takes no large files. */
  instead: ((req: IncomingMessage, res: ServerResponse) => void) | undefined
}

/** A subgraph of a server that reads the multipart requests of the specification. */
async function startStorage(t: TestContext, name: string): Promise<Storage> {
  const stored = async (file: File) => {
    const bytes = Buffer.from(await file.arrayBuffer())
    return { name: file.name, type: file.type, bytes: bytes.length, sha256: sha256(bytes) }
  }
  const schema = buildSubgraphSchema({
    typeDefs: parse(sdl(name)),
    resolvers: {
      Query: {
        [`${name}Hello`]: () => 'hello',
        [`${name}Measure`]: (_: unknown, { file }: { file: File }) => stored(file),
      },
      Mutation: {
        [`${name}Store`]: (_: unknown, { file }: { file: File }) => stored(file),
        [`${name}StoreAll`]: (_: unknown, { files }: { files: File[] }) => Promise.all(files.map(stored)),
        [`${name}Page`]: (_: unknown, { page }: { page: { image: File } }) => stored(page.image),
        [`${name}Note`]: (_: unknown, { text }: { text: string }) => text,
      },
    } as never,
  })
  const yoga = createYoga({ schema, logging: false })
  const heads: IncomingHttpHeaders[] = []
  const server = createServer(async (req, res) => {
    heads.push(req.headers)
    if (storage.instead !== undefined) storage.instead(req, res)
    else await yoga(req, res)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const storage: Storage = { url, heads, instead: undefined }
  return storage
}

const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex')

interface World extends TestGateway {
  readonly images: Storage
  readonly papers: Storage
  send(form: FormData, headers?: Record<string, string>): Promise<Response>
}

async function startWorld(t: TestContext, uploads: object | null = {}): Promise<World> {
  const images = await startStorage(t, 'images')
  const papers = await startStorage(t, 'papers')
  const folder = mkdtempSync(join(tmpdir(), 'trivium-uploads-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const name of ['images', 'papers']) writeFileSync(join(folder, `${name}.graphql`), sdl(name))
  const subgraph = (upstream: string) => ({ upstream, schema: join(folder, `${upstream}.graphql`) })
  const gateway = await startGateway(t, {
    upstreams: {
      images: { targets: [{ url: images.url }] },
      papers: { targets: [{ url: papers.url }] },
    },
    graphql: {
      auth: 'none',
      subgraphs: { images: subgraph('images'), papers: subgraph('papers') },
      ...(uploads === null ? {} : { uploads }),
    },
  })
  return {
    ...gateway,
    images,
    papers,
    send: (body, headers = { 'apollo-require-preflight': '1' }) =>
      fetch(`${gateway.url}/graphql`, { method: 'POST', headers, body }),
  }
}

/** As the specification's clients write it. */
function formOf(operations: unknown, map: unknown, files: readonly [name: string, file: File][]): FormData {
  const form = new FormData()
  form.append('operations', typeof operations === 'string' ? operations : JSON.stringify(operations))
  form.append('map', typeof map === 'string' ? map : JSON.stringify(map))
  for (const [name, file] of files) form.append(name, file)
  return form
}

const storing = 'mutation($file: Upload!) { imagesStore(file: $file) { name type bytes sha256 } }'
const one = (file: File): FormData =>
  formOf({ query: storing, variables: { file: null } }, { 0: ['variables.file'] }, [['0', file]])
const text = (name: string, bytes: string): File => new File([bytes], name, { type: 'text/plain' })

async function said(answering: Promise<Response>): Promise<string> {
  const response = await answering
  const { data, errors } = (await response.json()) as {
    data?: unknown
    errors?: { message: string; extensions: { reason: string } }[]
  }
  const [error] = errors ?? []
  return `${response.status} ${error === undefined ? JSON.stringify(data) : `${error.extensions.reason}: ${error.message}`}`
}

test('a file goes to the subgraph that asks for it as it is, with its name and type', async (t) => {
  const { send, images, papers } = await startWorld(t)
  const bytes = randomBytes(3_000_000)
  const file = new File([bytes], 'a "quoted" ü.png', { type: 'image/png' })
  const response = await send(one(file))
  const { data } = (await response.json()) as { data: { imagesStore: Record<string, unknown> } }
  assert.deepEqual([data.imagesStore.bytes, data.imagesStore.sha256], [bytes.length, sha256(bytes)])
  assert.equal(data.imagesStore.type, 'image/png')
  assert.match(String(data.imagesStore.name), /^a %22quoted%22 .*ü\.png$/)
  assert.match(images.heads[0]?.['content-type'] ?? '', /^multipart\/form-data; boundary=/)
  assert.equal(images.heads[0]?.['apollo-require-preflight'], 'true')
  assert.equal(papers.heads.length, 0)
})

test('files in lists and input objects, for several subgraphs, beside fetches that have none', async (t) => {
  const { send, images, papers } = await startWorld(t)
  const query = `mutation($files: [Upload!]!, $page: Page!, $note: String) {
    imagesNote(text: $note) imagesStoreAll(files: $files) { bytes } papersPage(page: $page) { name bytes } papersNote(text: $note)
  }`
  const variables = { files: [null, null], page: { title: 'x', image: null }, note: 'n' }
  const map = { a: ['variables.files.0'], b: ['variables.files.1'], c: ['variables.page.image'] }
  const form = formOf({ query, variables }, map, [
    ['a', text('a', 'a')],
    ['b', text('b', 'bb')],
    ['c', text('c.txt', 'ccc')],
  ])
  assert.equal(
    await said(send(form)),
    '200 {"imagesNote":"n","imagesStoreAll":[{"bytes":1},{"bytes":2}],"papersPage":{"name":"c.txt","bytes":3},"papersNote":"n"}',
  )
  assert.equal(images.heads.length, 1)
  assert.equal(papers.heads.filter((head) => /multipart/.test(head['content-type'] ?? '')).length, 1)
})

test('queries side by side in two subgraphs each get their own file', async (t) => {
  const { send } = await startWorld(t)
  const query =
    'query($a: Upload!, $b: Upload!) { papersMeasure(file: $b) { bytes } imagesMeasure(file: $a) { bytes } }'
  for (const order of [
    ['0', '1'],
    ['1', '0'],
  ] as const) {
    const files = order.map((name): [string, File] => [name, text(name, name.repeat(300_000))])
    const map = { 0: ['variables.a'], 1: ['variables.b'] }
    const form = formOf({ query, variables: { a: null, b: null } }, map, files)
    assert.equal(
      await said(send(form)),
      '200 {"papersMeasure":{"bytes":300000},"imagesMeasure":{"bytes":300000}}',
    )
  }
})

test('one file in two places of one fetch is sent once; for two subgraphs it is refused', async (t) => {
  const { send } = await startWorld(t)
  const files: [string, File][] = [['0', text('x', 'xyz')]]
  const twice = 'mutation($files: [Upload!]!) { imagesStoreAll(files: $files) { bytes } }'
  const list = { query: twice, variables: { files: [null, null] } }
  const both = { 0: ['variables.files.0', 'variables.files.1'] }
  assert.equal(
    await said(send(formOf(list, both, files))),
    '200 {"imagesStoreAll":[{"bytes":3},{"bytes":3}]}',
  )
  const query = 'query($a: Upload!) { imagesMeasure(file: $a) { bytes } papersMeasure(file: $a) { bytes } }'
  const form = formOf({ query, variables: { a: null } }, { 0: ['variables.a'] }, files)
  assert.match(await said(send(form)), /^200 INVALID_ARGUMENT: File "0" is asked for by two subgraphs/)
})

test('a large file that comes before it is used is refused, and one that nobody uses is not waited for', async (t) => {
  const { send } = await startWorld(t)
  const query = `mutation($a: Upload!, $b: Upload!) {
    imagesStore(file: $b) { bytes } papersStore(file: $a) { bytes }
  }`
  const files: [string, File][] = [
    ['0', text('a', 'a'.repeat(2_000_000))],
    ['1', text('b', 'b')],
  ]
  const map = { 0: ['variables.a'], 1: ['variables.b'] }
  const form = formOf({ query, variables: { a: null, b: null } }, map, files)
  assert.match(await said(send(form)), /^200 INVALID_ARGUMENT: File "0" came before it was used/)
  const skipping = `mutation($a: Upload!, $b: Upload!) {
    papersStore(file: $a) @skip(if: true) { bytes } imagesStore(file: $b) { bytes }
  }`
  const skipped = formOf({ query: skipping, variables: { a: null, b: null } }, map, files)
  assert.equal(await said(send(skipped)), '200 {"imagesStore":{"bytes":1}}')
})

const operation = { query: storing, variables: { file: null } }
const map = { 0: ['variables.file'] }
const file: [string, File][] = [['0', text('x', 'xyz')]]

for (const field of ['operations', 'map']) {
  for (const type of ['', 'Content-Type: application/json; charset=utf-8\r\n']) {
    test(`bytes that are no UTF-8 in "${field}" are refused${type && ', whatever it says of itself'}`, async (t) => {
      const { url, images } = await startWorld(t)
      const values = new Map([
        ['operations', JSON.stringify({ query: storing, variables: { file: null, name: '?' } })],
        ['map', JSON.stringify({ 0: ['variables.file'], '?': [] })],
      ])
      const part = (name: string, value: Buffer, more = ''): Buffer =>
        Buffer.concat([
          Buffer.from(`--x\r\nContent-Disposition: form-data; name="${name}"${more}\r\n${type}\r\n`),
          value,
          Buffer.from('\r\n'),
        ])
      const broken = (name: string): Buffer => {
        const bytes = Buffer.from(values.get(name) ?? '')
        if (name === field) bytes[bytes.indexOf('?')] = 0xff
        return bytes
      }
      const body = Buffer.concat([
        part('operations', broken('operations')),
        part('map', broken('map')),
        part('0', Buffer.from([0xff, 0xfe]), '; filename="a.bin"'),
        Buffer.from('--x--\r\n'),
      ])
      const headers = { 'apollo-require-preflight': '1', 'content-type': 'multipart/form-data; boundary=x' }
      const answer = await said(fetch(`${url}/graphql`, { method: 'POST', headers, body }))
      assert.match(answer, /^400 INVALID_BODY: A field of the form is not valid UTF-8/)
      assert.equal(images.heads.length, 0)
    })
  }
}

const refused: [name: string, form: FormData, answer: RegExp][] = [
  ['operations that are no JSON', formOf('{', map, file), /^400 INVALID_ARGUMENT|^400 INVALID_BODY/],
  ['a batch', formOf([operation], map, file), /^400 INVALID_ARGUMENT: "operations" must be one/],
  [
    'members that are there twice',
    formOf('{"query":"{a}","query":"{b}"}', map, file),
    /^400 INVALID_ARGUMENT: .*one name/,
  ],
  ['a map that is no object', formOf(operation, [], file), /^400 INVALID_ARGUMENT: "map" must be/],
  ['a map with a path that is no text', formOf(operation, { 0: [1] }, file), /^400 INVALID_ARGUMENT: A path/],
  [
    'a map to what is no variable',
    formOf(operation, { 0: ['query'] }, file),
    /^400 INVALID_ARGUMENT: A path/,
  ],
  ['a map to a value', formOf({ ...operation, variables: { file: 'x' } }, map, file), /no null/],
  ['a map to nothing', formOf(operation, { 0: ['variables.other'] }, file), /no null/],
  ['a map to a prototype', formOf(operation, { 0: ['variables.__proto__.polluted'] }, file), /no null/],
  ['one place for two files', formOf(operation, { ...map, 1: ['variables.file'] }, file), /no null/],
  [
    'more files than may be',
    formOf(operation, { ...map, a: ['variables.a'], b: ['variables.b'] }, file),
    /more files than the limit of 2/,
  ],
  [
    'a file that is not in the map',
    formOf(operation, map, [['other', text('x', 'x')]]),
    /^400 INVALID_ARGUMENT: File "other" is not in "map"/,
  ],
  ['a file that is missing', formOf(operation, map, []), /^400 INVALID_ARGUMENT: A file of "map" is missing/],
  [
    'a file above the limit',
    formOf(operation, map, [['0', text('x', 'x'.repeat(200_001))]]),
    /^413 BODY_TOO_LARGE/,
  ],
  [
    'an operation that is not valid',
    formOf({ ...operation, query: '{ nobody }' }, map, file),
    /^200 GRAPHQL_VALIDATION_FAILED/,
  ],
  [
    'a subscription',
    formOf({ ...operation, query: 'subscription($file: Upload!) { imagesWatch(file: $file) }' }, map, file),
    /^400 INVALID_ARGUMENT: Files are for queries and mutations/,
  ],
  [
    'a file for a text',
    formOf(
      { query: 'mutation($file: String) { imagesNote(text: $file) }', variables: { file: null } },
      map,
      file,
    ),
    /^200 INVALID_ARGUMENT/,
  ],
]

test('what is no multipart request of the specification is refused, and nothing waits for ever', async (t) => {
  const { send, url, images } = await startWorld(t, { files: 2, fileBytes: '200kb', bytes: '300kb' })
  const small = { fileBytes: 204_800 }
  assert.ok(small.fileBytes < 300_000)
  for (const [name, form, answer] of refused) {
    if (name === 'a file above the limit') form.set('0', text('x', 'x'.repeat(small.fileBytes + 1)))
    assert.match(await said(send(form)), answer, name)
  }
  assert.match(
    await said(send(formOf(operation, map, [['0', text('x', 'x'.repeat(400_000))]]))),
    /^413 BODY_TOO_LARGE/,
  )
  const type = { 'apollo-require-preflight': '1', 'content-type': 'multipart/form-data' }
  const raw = (body: string, contentType: string) =>
    said(fetch(`${url}/graphql`, { method: 'POST', headers: { ...type, 'content-type': contentType }, body }))
  assert.match(await raw('x', 'multipart/form-data'), /^400 INVALID_BODY/)
  assert.match(await raw('--x\r\n', 'multipart/form-data; boundary=x'), /^400 INVALID_/)
  assert.match(await raw('', 'multipart/form-data; boundary=x'), /^400 INVALID_/)
  assert.match(
    await raw('--x--\r\n', 'multipart/form-data; boundary=x'),
    /^400 INVALID_ARGUMENT: "operations" or "map"/,
  )
  const early = new FormData()
  early.append('0', text('x', 'x'))
  early.append('operations', JSON.stringify(operation))
  assert.match(await said(send(early)), /^400 INVALID_ARGUMENT: A multipart request has/)
  // Still well.
  assert.equal(
    await said(send(formOf(operation, map, [['0', text('x', 'xyz')]]))),
    `200 {"imagesStore":{"name":"x","type":"text/plain","bytes":3,"sha256":"${sha256('xyz')}"}}`,
  )
  assert.ok(images.heads.length > 0)
})

test('a form is refused without a header that no page can send unasked, and everywhere where uploads are off', async (t) => {
  const { send } = await startWorld(t)
  assert.match(await said(send(one(text('x', 'x')), {})), /^400 CSRF_REFUSED/)
  const off = await startWorld(t, null)
  assert.match(await said(off.send(one(text('x', 'x')))), /^415 UNSUPPORTED_MEDIA_TYPE/)
})

test('a file streams: a subgraph that does not read holds back the client, and no memory fills', async (t) => {
  const { url, images } = await startWorld(t, { fileBytes: '300mb', bytes: '300mb' })
  const held = Promise.withResolvers<void>()
  images.instead = async (req, res) => {
    await held.promise
    const form = new Busboy({ headers: { 'content-type': req.headers['content-type'] ?? '' } })
    const taken = createHash('sha256')
    let bytes = 0
    form.on('file', (_, stream) => {
      stream.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        taken.update(chunk)
      })
    })
    form.on('finish', () => {
      res.setHeader('content-type', 'application/json')
      res.end(JSON.stringify({ data: { imagesStore: { bytes, sha256: taken.digest('hex') } } }))
    })
    req.pipe(form)
  }
  const total = 150_000_000
  const boundary = 'held'
  const head = `--${boundary}\r\ncontent-disposition: form-data; name="operations"\r\n\r\n${JSON.stringify({ ...operation, query: storing.replace('name type ', '') })}\r\n--${boundary}\r\ncontent-disposition: form-data; name="map"\r\n\r\n${JSON.stringify(map)}\r\n--${boundary}\r\ncontent-disposition: form-data; name="0"; filename="big"\r\ncontent-type: application/octet-stream\r\n\r\n`
  const answer = Promise.withResolvers<string>()
  const client = httpRequest(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}`, 'apollo-require-preflight': '1' },
  })
  client.on('response', async (response) => {
    let body = ''
    for await (const piece of response.setEncoding('utf8')) body += piece
    answer.resolve(body)
  })
  client.on('error', answer.reject)
  client.write(head)
  const before = process.memoryUsage().rss
  const piece = Buffer.alloc(1_000_000, 'x')
  const hash = createHash('sha256')
  let sent = 0
  const write = async (): Promise<void> => {
    while (sent < total) {
      sent += piece.length
      hash.update(piece)
      if (!client.write(piece)) await new Promise((resolve) => client.once('drain', resolve))
    }
    client.end(`\r\n--${boundary}--\r\n`)
  }
  const writing = write()
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  assert.ok(sent < 50_000_000, `${sent} bytes were taken while nobody read`)
  held.resolve()
  await writing
  const grown = process.memoryUsage().rss - before
  const { data } = JSON.parse(await answer.promise)
  assert.deepEqual([data.imagesStore.bytes, data.imagesStore.sha256], [total, hash.digest('hex')])
  // Of client, gateway and subgraph together, which share this process.
  assert.ok(grown < 64 * 1_048_576, `${grown} bytes more`)
})

test('a client that leaves half-way leaves nothing behind, and the subgraph is not to blame', async (t) => {
  const { url, images, send } = await startWorld(t)
  for (let i = 0; i < 8; i++) {
    const before = images.heads.length
    const client = httpRequest(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=b', 'apollo-require-preflight': '1' },
    })
    client.on('error', () => {})
    client.write(
      `--b\r\ncontent-disposition: form-data; name="operations"\r\n\r\n${JSON.stringify(operation)}\r\n--b\r\ncontent-disposition: form-data; name="map"\r\n\r\n${JSON.stringify(map)}\r\n--b\r\ncontent-disposition: form-data; name="0"; filename="x"\r\n\r\n${'x'.repeat(100_000)}`,
    )
    while (images.heads.length === before) await new Promise((resolve) => setTimeout(resolve, 5))
    client.destroy()
  }
  assert.match(await said(send(one(text('x', 'xyz')))), /^200 \{"imagesStore":\{"name":"x"/)
})
