import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { googleProtos } from '../harness.ts'
import { kitchenName, kitchenProto } from '../kitchen.ts'
import { describeServices, type Json, libraryProto, messagingProto, nastyProto } from './describe.ts'

// Two linters that know nothing of each other, with all of their recommended rules and not one warning. Only these two are off: they
// want the license and the contact of the owner, whom a gateway does not know.
const redoclyConfig = 'extends: [recommended]\nrules:\n  info-license: off\n'
const spectralRules = 'extends: ["spectral:oas"]\nrules:\n  info-contact: off\n'

const folder = mkdtempSync(join(tmpdir(), 'openapi-'))
const redocly = join(folder, 'redocly.yaml')
const spectral = join(folder, 'spectral.yaml')
writeFileSync(redocly, redoclyConfig)
writeFileSync(spectral, spectralRules)
after(() => rmSync(folder, { recursive: true }))

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
    const file = write(name, await describeServices(proto, services))
    const [first, second] = await Promise.all([lintWithRedocly(file), lintWithSpectral(file)])
    assert.match(first.output, /Your API description is valid/)
    assert.doesNotMatch(first.output, /\bwarning/, first.output)
    assert.match(second.output, /No results with a severity of/, second.output)
    assert.deepEqual([first.code, second.code], [0, 0])
  })
}

test('with license and contact in the configuration they find nothing with all of their rules', async () => {
  writeFileSync(redocly, 'extends: [recommended]\n')
  writeFileSync(spectral, 'extends: ["spectral:oas"]\n')
  const info = {
    contact: { name: 'Library team', url: 'https://library.example' },
    license: { name: 'Apache 2.0', identifier: 'Apache-2.0' },
    description: 'Books on shelves.',
  }
  const document = await describeServices(libraryProto, { 'library.v1.LibraryService': secured }, info)
  const file = write('owned', document)
  const [first, second] = await Promise.all([lintWithRedocly(file), lintWithSpectral(file)])
  assert.doesNotMatch(first.output, /\bwarning/, first.output)
  assert.match(second.output, /No results with a severity of/, second.output)
  assert.deepEqual([first.code, second.code], [0, 0])
})

test('both refuse a document whose parameter is not in its path', async () => {
  const document = await describeServices(libraryProto, { 'library.v1.LibraryService': {} })
  document.paths['/v1/books/{book}'].get.parameters[0].name = 'other'
  const file = write('broken', document)
  const [first, second] = await Promise.all([lintWithRedocly(file), lintWithSpectral(file)])
  assert.match(first.output, /path-parameters-defined/)
  assert.match(second.output, /path-params/)
  assert.ok(first.code !== 0 && second.code !== 0)
})

function write(name: string, document: Json): string {
  const file = join(folder, `${name.replace(/\W/g, '-')}.json`)
  writeFileSync(file, JSON.stringify(document))
  return file
}

function lintWithRedocly(file: string): Promise<Linted> {
  return run('redocly', ['lint', '--config', redocly, '--format', 'stylish', file])
}

function lintWithSpectral(file: string): Promise<Linted> {
  return run('spectral', ['lint', '--ruleset', spectral, '--fail-severity', 'hint', file])
}

interface Linted {
  readonly code: number
  readonly output: string
}

/** Neither needs the network; Redocly would like to count its runs and look for a newer version. */
function run(program: string, args: readonly string[]): Promise<Linted> {
  const path = fileURLToPath(new URL(`../../../../node_modules/.bin/${program}`, import.meta.url))
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' }
  return new Promise((resolve) => {
    execFile(process.execPath, [path, ...args], { env, cwd: folder }, (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : error === null ? 0 : -1
      resolve({ code, output: `${stdout}${stderr}` })
    })
  })
}
