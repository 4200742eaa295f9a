import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { linters } from '../../../services/linters.ts'
import { googleProtos } from '../harness.ts'
import { kitchenName, kitchenProto } from '../kitchen.ts'
import { describeServices, libraryProto, messagingProto, nastyProto } from './describe.ts'

// Not one warning. Only these two rules are off: they want the license and the contact of the owner, whom a gateway does not know.
const lint = linters({ off: { redocly: ['info-license'], spectral: ['info-contact'] } })
const lintAll = linters()

const secured = {
  policy: {
    id: 'secured',
    auth: 'optional',
    authorize: { roles: ['reader'], scopes: ['books'] },
    plugins: [],
    forwardCredentials: false,
  },
} as const

const documents: readonly [name: string, proto: string, services: Parameters<typeof describeServices>[1]][] =
  [
    ['the library', libraryProto, { 'library.v1.LibraryService': secured }],
    [
      'Pub/Sub',
      join(googleProtos, 'google/pubsub/v1/pubsub.proto'),
      { 'google.pubsub.v1.Publisher': {}, 'google.pubsub.v1.Subscriber': {} },
    ],
    [
      'Firestore',
      join(googleProtos, 'google/firestore/v1/firestore.proto'),
      { 'google.firestore.v1.Firestore': {} },
    ],
    ['one of every kind of field', kitchenProto, { [kitchenName]: {} }],
    ['what a description can stumble over', nastyProto, { 'nasty.v1.Nasty': secured }],
    ['the examples of http.proto', messagingProto, { 'messaging.v1.Messaging': {} }],
  ]

for (const [name, proto, services] of documents) {
  test(`${name}: Redocly and Spectral find nothing`, async () => {
    const { redocly: first, spectral: second } = await lint(name, await describeServices(proto, services))
    assert.match(first.output, /Your API description is valid/)
    assert.doesNotMatch(first.output, /\bwarning/, first.output)
    assert.match(second.output, /No results with a severity of/, second.output)
    assert.deepEqual([first.code, second.code], [0, 0])
  })
}

test('with license and contact in the configuration they find nothing with all of their rules', async () => {
  const info = {
    contact: { name: 'Library team', url: 'https://library.example' },
    license: { name: 'Apache 2.0', identifier: 'Apache-2.0' },
    description: 'Books on shelves.',
  }
  const document = await describeServices(libraryProto, { 'library.v1.LibraryService': secured }, info)
  const { redocly: first, spectral: second } = await lintAll('owned', document)
  assert.doesNotMatch(first.output, /\bwarning/, first.output)
  assert.match(second.output, /No results with a severity of/, second.output)
  assert.deepEqual([first.code, second.code], [0, 0])
})

test('both refuse a document whose parameter is not in its path', async () => {
  const document = await describeServices(libraryProto, { 'library.v1.LibraryService': {} })
  document.paths['/v1/books/{book}'].get.parameters[0].name = 'other'
  const { redocly: first, spectral: second } = await lint('broken', document)
  assert.match(first.output, /path-parameters-defined/)
  assert.match(second.output, /path-params/)
  assert.ok(first.code !== 0 && second.code !== 0)
})
