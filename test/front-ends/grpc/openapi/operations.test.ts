import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { openPolicy } from '../harness.ts'
import { kitchenName, kitchenProto } from '../kitchen.ts'
import {
  describeServices,
  type Json,
  libraryProto,
  messagingProto,
  nastyProto,
  operationsOf,
} from './describe.ts'

let kitchen: Json
let library: Json
let messaging: Json
before(async () => {
  kitchen = await describeServices(kitchenProto, { [kitchenName]: {} })
  library = await describeServices(libraryProto, { 'library.v1.LibraryService': {} })
  messaging = await describeServices(messagingProto, { 'messaging.v1.Messaging': {} })
})

function names(operation: Json, place: string): string[] {
  return (operation.parameters ?? []).filter((one: Json) => one.in === place).map((one: Json) => one.name)
}

test('every binding is one operation, each with an id of its own', () => {
  const shown = operationsOf(library).map((one) => `${one.method} ${one.path} ${one.operation.operationId}`)
  assert.deepEqual(shown, [
    'get /v1/shelves LibraryService_ListShelves',
    'get /v1/shelves/{shelf}/books LibraryService_ListBooks',
    'post /v1/shelves/{shelf}/books LibraryService_CreateBook',
    'get /v1/shelves/{shelf}/books/{book} LibraryService_GetBook',
    'delete /v1/shelves/{shelf}/books/{book} LibraryService_DeleteBook',
    'get /v1/books/{book} LibraryService_GetBook_2',
    'get /v1/books LibraryService_FindBooks',
    'get /v1/shelves/{shelf}/books:watch LibraryService_WatchBooks',
  ])
  const ids = operationsOf(kitchen).map((one) => one.operation.operationId)
  assert.equal(new Set(ids).size, ids.length)
})

test('the same protos give the same document', async () => {
  assert.deepEqual(await describeServices(kitchenProto, { [kitchenName]: {} }), kitchen)
})

test('http.proto: fields that the path does not bind are query parameters, nested ones by dots', () => {
  const { get } = messaging.paths['/v1/messages/{message_id}']
  assert.deepEqual(
    [names(get, 'path'), names(get, 'query')],
    [['message_id'], ['userId', 'revision', 'sub.subfield']],
  )
  const { get: ofUser } = messaging.paths['/v1/users/{user_id}/messages/{message_id}']
  assert.deepEqual(names(ofUser, 'path'), ['user_id', 'message_id'])
  assert.deepEqual(names(ofUser, 'query'), ['revision', 'sub.subfield'])
})

test('http.proto: a body field leaves the others to the query, "*" leaves none', () => {
  const { patch, put } = messaging.paths['/v1/messages/{message_id}']
  const schema = { $ref: '#/components/schemas/messaging.v1.Message' }
  assert.deepEqual([names(patch, 'path'), names(patch, 'query')], [['message_id'], ['kind']])
  assert.deepEqual(patch.requestBody, { required: true, content: { 'application/json': { schema } } })
  assert.equal(patch.parameters[0].description, 'Sets `id`.')
  assert.deepEqual(names(put, 'query'), [])
  assert.match(put.description, /The path sets `message_id`, whatever the body says\./)
})

test('a comment gives summary and description, without notes to colleagues and reference syntax', () => {
  const { get } = messaging.paths['/v1/messages/{message_id}']
  assert.equal(get.summary, 'Gets a message')
  assert.equal(get.description, 'Gets a message. It says more here.\n\nAnd even more in a second paragraph.')
  assert.equal(get.parameters[0].description, 'Which message.')
  assert.deepEqual(get.tags, ['messaging.v1.Messaging'])
})

test('the segments of one variable are parts of its field', () => {
  const { get } = messaging.paths['/v1/messages/{message}/parts/{part}:read']
  assert.equal(get.parameters[0].description, 'Part of `name`: `messages/{message}/parts/{part}`.')
  assert.deepEqual(names(get, 'query'), ['message.messageId', 'message.text'])
})

test('of two bindings that OpenAPI cannot tell apart the second is named in the first', () => {
  const { get } = messaging.paths['/v1/files/{name}']
  assert.match(get.parameters[0].description, /Any number of segments, none included/)
  assert.match(get.description, /As `\/v1\/files\/\{name\}` it is Messaging_GetByName_3\./)
})

test('methods without a word in OpenAPI: "*" is one operation, LIST an additional one', () => {
  assert.match(messaging.paths['/v1/any/archive/{name_rest}'].get.description, /Every method is served alike/)
  const { 'x-additionalOperations': more } = messaging.paths['/v1/messages']
  assert.equal(more.LIST.operationId, 'Messaging_GetByName_4')
})

test('a repeated enum in the query', () => {
  const genre = library.paths['/v1/shelves/{shelf}/books'].get.parameters[3]
  const items = { $ref: '#/components/schemas/library.v1.Genre' }
  assert.deepEqual([genre.schema, genre.style, genre.explode], [{ type: 'array', items }, 'form', true])
})

test('wrappers in the query are the values within, what is JSON only is no parameter', () => {
  const { parameters } = kitchen.paths['/v1/part/text'].get
  const byName = new Map<string, Json>(parameters.map((one: Json) => [one.name, one.schema]))
  assert.deepEqual(byName.get('wrapped'), { type: 'string', format: 'int64' })
  assert.deepEqual(byName.get('wait'), { $ref: '#/components/schemas/google.protobuf.Duration' })
  assert.ok(byName.has('struct') && byName.has('value'))
  for (const name of ['any', 'labels', 'items', 'child', 'child.text']) {
    assert.equal(byName.has(name), false, name)
  }
})

test('bodies of a list, raw bytes, and parts of answers', () => {
  const body = kitchen.paths['/v1/echo:items'].post.requestBody.content['application/json'].schema
  assert.equal(body.type, 'array')
  const { post } = kitchen.paths['/v1/files/{name}']
  assert.deepEqual([post.requestBody.content, post.responses['200'].content], [{ '*/*': {} }, { '*/*': {} }])
  const answer = (path: string): Json =>
    kitchen.paths[path].get.responses['200'].content['application/json'].schema
  assert.deepEqual(answer('/v1/part/text'), { type: 'string' })
  assert.equal(answer('/v1/part/items').type, 'array')
  assert.deepEqual(answer('/v1/nothing'), { $ref: '#/components/schemas/google.protobuf.Empty' })
})

test('a stream is an array or lines, of messages or the error that ends it; one of raw bytes is bytes', () => {
  const { content } = library.paths['/v1/shelves/{shelf}/books:watch'].get.responses['200']
  const item = {
    anyOf: [
      { $ref: '#/components/schemas/library.v1.BookEvent' },
      { $ref: '#/components/schemas/gateway.StreamError' },
    ],
  }
  assert.deepEqual(content, {
    'application/json': { schema: { type: 'array', items: item } },
    'application/x-ndjson': { schema: item },
  })
  const raw = kitchen.paths['/v1/download/{to}'].get.responses['200'].content
  assert.deepEqual(raw, { '*/*': {} })
})

test('a stream of requests is an array or lines of messages, one of raw bytes is bytes', async () => {
  const nasty = await describeServices(nastyProto, { 'nasty.v1.Nasty': {} })
  const { post: count } = nasty.paths['/v1/words/{book}:count']
  const { schema: lines } = count.requestBody.content['application/x-ndjson']
  assert.deepEqual(count.requestBody.content['application/json'].schema, { type: 'array', items: lines })
  assert.deepEqual(lines.required, ['text'], 'what the path sets may be absent')
  assert.deepEqual(Object.keys(count.responses['200'].content), ['application/json'])
  assert.match(count.description, /Takes a stream.*\n\nAlso over a WebSocket/s)
  const { post: talk } = nasty.paths['/v1/words/{book}:talk']
  const types = ['application/json', 'application/x-ndjson']
  assert.deepEqual(Object.keys(talk.requestBody.content), types)
  assert.deepEqual(Object.keys(talk.responses['200'].content), types)
  assert.match(talk.description, /Answers may come while it is still being sent/)
  assert.deepEqual(nasty.paths['/v1/files:upload'].post.requestBody.content, { '*/*': {} })
})

test('a deprecated method, and parameters by google.api.field_behavior', async () => {
  const nasty = await describeServices(nastyProto, { 'nasty.v1.Nasty': {} })
  const { get, put, patch } = nasty.paths['/v1/old/{book}']
  assert.deepEqual([get.deprecated, put.deprecated], [true, true])
  assert.equal(nasty.paths['/v1/words/{book}:count'].post.deprecated, undefined)
  const byName = new Map<string, Json>(get.parameters.map((one: Json) => [one.name, one]))
  assert.equal(byName.get('text').required, true)
  assert.equal(byName.get('word.text'), undefined, 'a message is not followed into itself')
  assert.equal(byName.get('page').deprecated, true)
  assert.equal(byName.has('etag'), false, 'only answers have it')
  assert.deepEqual(put.requestBody.content['application/json'].schema.required, ['text'])
  assert.deepEqual(patch.requestBody.content['application/json'].schema.required, ['text'])
})

test('a method that has a policy of its own is described with that', async () => {
  const library = 'library.v1.LibraryService'
  const policy = { ...openPolicy, auth: 'none' as const }
  const claims = { tenant: ['acme', 'globex'] }
  const ofMethod = {
    ...policy,
    auth: 'optional' as const,
    authorize: { roles: ['admin'], scopes: [], claims },
  }
  const methods = new Map([['GetBook', { policy: ofMethod }]])
  const document = await describeServices(libraryProto, { [library]: { policy, methods } })
  const told = operationsOf(document).map(({ operation }) => [
    operation['x-grpc-method'],
    operation.security.length,
    '403' in operation.responses,
  ])
  for (const [name, ways, refuses] of told)
    assert.deepEqual([ways, refuses], name === `${library}/GetBook` ? [2, true] : [0, false], name)
  const get = operationsOf(document).find(
    ({ operation }) => operation['x-grpc-method'] === `${library}/GetBook`,
  )
  assert.match(
    get?.operation.description,
    /one of the roles admin\.\s+Needs the claim tenant: acme or globex\./,
  )
  assert.ok(document.components.securitySchemes)
})

test('the policy decides security and the refusals of identity', async () => {
  const authorize = { roles: ['editor'], scopes: ['books'] }
  const policies = { required: ['401', '403'], optional: ['401', '403'], none: ['403'] } as const
  const either = [{ apiKey: [] }, { bearer: [] }]
  const security = { required: either, optional: either, none: [] } // A role is asked of everybody.
  for (const auth of ['required', 'optional', 'none'] as const) {
    const policy = { ...openPolicy, auth, authorize }
    const document = await describeServices(libraryProto, { 'library.v1.LibraryService': { policy } })
    const { get } = document.paths['/v1/shelves']
    assert.deepEqual(get.security, security[auth], auth)
    assert.deepEqual(
      Object.keys(get.responses).filter((status) => status === '401' || status === '403'),
      policies[auth],
    )
    assert.match(get.description, /Needs one of the roles editor\.\n\nNeeds the scopes books\.$/)
    assert.equal(document.components.securitySchemes === undefined, auth === 'none')
  }
})

test('messages that all contain each other have a description of bounded size', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'openapi-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const all = Array.from({ length: 30 }, (_, index) => index)
  const messages = all.map(
    (one) =>
      `message M${one} { string text = 100; ${all.map((to) => `M${to} m${to} = ${to + 1};`).join(' ')} }`,
  )
  const file = join(folder, 'knot.proto')
  writeFileSync(
    file,
    `syntax = "proto3"; package knot; import "google/api/annotations.proto"; ${messages.join('\n')}
    service Knot { rpc Get(M0) returns (M0) { option (google.api.http) = { get: "/v1/knot" }; } }`,
  )
  const document = await describeServices(file, { 'knot.Knot': {} })
  const found = names(document.paths['/v1/knot'].get, 'query')
  assert.ok(found.includes('text') && found.length <= 100, String(found.length))
})
