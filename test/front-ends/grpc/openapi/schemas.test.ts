import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { plainJson } from '../harness.ts'
import { kitchenName, kitchenProto } from '../kitchen.ts'
import { describeServices, type Json, libraryProto, nastyProto } from './describe.ts'

let kitchen: Json
let library: Json
before(async () => {
  kitchen = await describeServices(kitchenProto, { [kitchenName]: {} })
  library = await describeServices(libraryProto, { 'library.v1.LibraryService': {} })
})

const notFinite = { type: 'string', enum: ['NaN', 'Infinity', '-Infinity'] }
const color = { $ref: '#/components/schemas/kitchen.v1.Color' }
const fields: readonly [name: string, schema: object][] = [
  ['text', { type: 'string' }],
  ['flag', { type: 'boolean' }],
  ['int32', { type: 'integer', format: 'int32' }],
  ['uint32', { type: 'integer', format: 'uint32', minimum: 0, maximum: 4_294_967_295 }],
  ['int64', { type: 'string', format: 'int64' }],
  ['uint64', { type: 'string', format: 'uint64' }],
  ['double', { oneOf: [{ type: 'number', format: 'double' }, notFinite] }],
  ['float', { oneOf: [{ type: 'number', format: 'float' }, notFinite] }],
  ['data', { type: 'string', contentEncoding: 'base64' }],
  ['color', color],
  ['colors', { type: 'array', items: color }],
  ['items', { type: 'array', items: { $ref: '#/components/schemas/kitchen.v1.Everything.Item' } }],
  ['child', { $ref: '#/components/schemas/kitchen.v1.Everything' }],
  ['labels', { type: 'object', additionalProperties: { type: 'string' } }],
  ['palette', { type: 'object', propertyNames: { pattern: '^-?[0-9]+$' }, additionalProperties: color }],
  ['customName', { type: 'string' }],
  ['someLongName', { type: 'string' }],
  ['at', { $ref: '#/components/schemas/google.protobuf.Timestamp' }],
]

for (const [name, schema] of fields) {
  test(`a field: ${name}`, () => {
    assert.deepEqual(kitchen.components.schemas['kitchen.v1.Everything'].properties[name], schema)
  })
}

const wellKnown: readonly [name: string, schema: object][] = [
  ['Timestamp', { type: 'string', format: 'date-time' }],
  ['Duration', { type: 'string', pattern: '^-?[0-9]+(\\.[0-9]{1,9})?s$' }],
  ['FieldMask', { type: 'string' }],
  ['Struct', { type: 'object', additionalProperties: true }],
  ['Value', {}],
  ['Empty', { type: 'object' }],
  ['Int64Value', { type: ['string', 'null'], format: 'int64' }],
  ['StringValue', { type: ['string', 'null'] }],
]

for (const [name, schema] of wellKnown) {
  test(`google.protobuf.${name}`, () => {
    const { description, ...rest } = kitchen.components.schemas[`google.protobuf.${name}`]
    assert.deepEqual(rest, schema)
    assert.equal(typeof description, 'string')
  })
}

test('a oneof allows one of its members or none', () => {
  const { oneOf, description } = kitchen.components.schemas['kitchen.v1.Everything']
  const members = ['left', 'right'].map((name) => ({ properties: { [name]: {} }, required: [name] }))
  assert.deepEqual(oneOf, [...members, { not: { anyOf: members } }])
  assert.equal(description, 'At most one of (choice): `left`, `right`.')
})

test('an optional field is no oneof, a required one of proto2 is required', () => {
  const { properties, required } = kitchen.components.schemas['kitchen.v1.Legacy']
  assert.deepEqual(required, ['name'])
  assert.deepEqual(Object.keys(properties), ['name', 'level', 'plain', 'packed', 'mood'])
  assert.equal(library.components.schemas['library.v1.WatchBooksRequest'], undefined)
})

test('comments become descriptions: of a message, a field, an enum and its values', () => {
  const { 'library.v1.Book': book, 'library.v1.Genre': genre } = library.components.schemas
  assert.equal(book.description, 'A book on a shelf.')
  assert.deepEqual(book.properties.title, { type: 'string', description: '1 to 500 characters.' })
  assert.deepEqual(book.properties.genre, {
    $ref: '#/components/schemas/library.v1.Genre',
    description: 'What it is about.',
  })
  assert.deepEqual(genre.enum, ['GENRE_UNSPECIFIED', 'FICTION', 'SCIENCE', 'HISTORY', 'POETRY'])
  assert.match(
    genre.description,
    /^What a book is about\.\n\n- `GENRE_UNSPECIFIED`: Not said\.\n- `FICTION`: Novels/,
  )
})

test('google.api.field_behavior, deprecation and the comment of a oneof', async () => {
  const nasty = await describeServices(nastyProto, { 'nasty.v1.Nasty': {} })
  const { 'nasty.v1.Word': word, 'nasty.v1.Gone': gone, 'nasty.v1.Kind': kind } = nasty.components.schemas
  assert.deepEqual(word.required, ['book', 'text'])
  assert.deepEqual(word.properties.book, {
    type: 'string',
    description: 'The book that it is from. Cannot be changed once it is set.',
  })
  assert.deepEqual(word.properties.etag, { type: 'string', readOnly: true })
  assert.deepEqual(word.properties.secret, { type: 'string', writeOnly: true })
  assert.deepEqual(word.properties.id, { type: 'string', description: 'Identifies the resource.' })
  assert.deepEqual(word.properties.page, { type: 'string', format: 'int64', deprecated: true })
  assert.deepEqual(word.properties.around, {
    type: 'object',
    propertyNames: { pattern: '^-?[0-9]+$' },
    additionalProperties: { $ref: '#/components/schemas/nasty.v1.Word' },
    deprecated: true,
  })
  assert.match(word.description, /At most one of \(source\): `author`, `quoted`\. In whose words\./)
  assert.deepEqual([gone.deprecated, word.deprecated], [true, undefined])
  assert.match(kind.description, /- `VERB` \(deprecated\)\n- `SUBSTANTIVE`: The same as a noun/)
})

test('a service that keeps proto names and writes enums as numbers is described so, also in its parameters', async () => {
  const json = { ...plainJson, protoNames: true, enumsAsNumbers: true }
  const document = await describeServices(libraryProto, { 'library.v1.LibraryService': { json } })
  const { schemas } = document.components
  assert.ok('next_page_token' in schemas['library.v1.ListBooksResponse'].properties)
  assert.deepEqual(schemas['library.v1.Genre'].enum, [0, 1, 2, 3, 4])
  assert.match(schemas['library.v1.Genre'].description, /- `POETRY` \(4\): Lines/)
  const { parameters } = document.paths['/v1/shelves/{shelf}/books'].get
  assert.deepEqual(
    parameters.map((one: Json) => one.name),
    ['shelf', 'page_size', 'page_token', 'genre'],
  )
})

test('services of different styles have schemas of their own', async () => {
  const pubsub = await describeServices('google/pubsub/v1/pubsub.proto', {
    'google.pubsub.v1.Publisher': {},
    'google.pubsub.v1.Subscriber': { json: { ...plainJson, protoNames: true } },
  })
  const { schemas } = pubsub.components
  assert.ok('messageId' in schemas['google.pubsub.v1.PubsubMessage'].properties)
  assert.ok('message_id' in schemas['google.pubsub.v1.PubsubMessage-protoNames'].properties)
})

test('google.rpc.Status is the schema of every error', () => {
  const { schemas, responses } = library.components
  assert.deepEqual(Object.keys(schemas['google.rpc.Status'].properties), ['code', 'message', 'details'])
  assert.deepEqual(Object.keys(responses), [
    'InvalidArgument',
    'NotFound',
    'ResourceExhausted',
    'Unavailable',
    'Error',
  ])
  for (const name of Object.keys(responses)) {
    assert.deepEqual(responses[name].content, {
      'application/json': { schema: { $ref: '#/components/schemas/google.rpc.Status' } },
    })
  }
})
