// biome-ignore-all lint/suspicious/noTemplateCurlyInString: values in texts of the configuration
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startLibrary } from '../../examples/library/server.ts'
import { folderOf } from '../config/files.ts'
import { linters } from '../services/linters.ts'
import { described, nobody } from './world.ts'

// The license is the owner's to give, and a redirect has no answer of 2xx.
const lint = linters({
  off: { redocly: ['info-license', 'operation-2xx-response'], spectral: ['info-contact'] },
})
const root = fileURLToPath(new URL('../../', import.meta.url))

const pets = `
openapi: 3.0.0
info: {title: Pets, version: '1'}
servers: [{url: /api}]
tags: [{name: pets}]
paths:
  /pets:
    get:
      parameters: [{name: limit, in: query, schema: {type: integer, nullable: true}}]
      responses: {default: {description: A list., content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Status'}}}}}}
    post:
      operationId: make pet
      tags: [pets]
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Status'}, example: {name: Rex}}}}
      responses: {'201': {description: Made.}}
  /pets/{petId}:
    get: {responses: {'200': {description: One., content: {application/json: {schema: {$ref: '#/components/schemas/Status'}}}}}}
    trace: {responses: {'200': {description: Trace.}}}
  /pets/{pet}/picture:
    put:
      parameters: [{name: pet, in: path, required: true, schema: {type: string}}]
      requestBody: {content: {image/png: {schema: {type: string, format: binary}}}}
      responses: {'204': {description: Kept.}}
components:
  schemas:
    Status:
      type: object
      required: [name]
      properties: {name: {type: string, nullable: true}, mother: {$ref: '#/components/schemas/Status'}}
`

test('Redocly and Spectral find nothing in what all kinds of places are described by', async (t) => {
  const library = await startLibrary()
  t.after(() => library.close())
  const file = folderOf(t, { 'pets.yaml': pets })
  const { document } = await described(t, {
    upstreams: {
      ...nobody,
      library: { targets: [{ url: library.url }] },
      pets: { targets: [{ url: 'http://127.0.0.1:1' }], openapi: { file: file('pets.yaml') } },
    },
    routes: [
      { id: 'all', path: '/v2/**', upstream: 'echo' },
      { id: 'root', path: '/', upstream: 'echo', auth: 'none' },
      {
        id: 'one',
        path: '/v3/{name=things/*}/parts/*:mend',
        methods: ['POST'],
        upstream: 'echo',
        auth: 'optional',
        authorize: { scopes: ['mend'] },
      },
      { id: 'same', path: '/v3/{thing}', methods: ['GET'], upstream: 'echo', headers: { 'x-beta': '*' } },
      { id: 'shape', path: '/v3/{other}', methods: ['PUT'], upstream: 'echo' },
      { id: 'moved', path: '/old/{id}', redirect: { to: '/v2', status: 301 }, auth: 'none' },
      { id: 'static', path: '/static', respond: { body: 'hello' }, auth: 'none' },
      { id: 'pets', path: '/api/**', upstream: 'pets' },
      {
        id: 'more-pets',
        path: '/more/**',
        upstream: 'pets',
        rewrite: { stripPrefix: '/more', prefix: '/api' },
      },
      {
        id: 'home',
        path: '/home/{id}',
        methods: ['POST'],
        aggregate: {
          parts: [
            {
              name: 'a',
              rest: {
                upstream: 'echo',
                path: '/${query.x}',
                headers: { 'x-language': '${header.accept-language:-en}' },
                query: { b: '${request.body.b}' },
              },
            },
          ],
        },
      },
    ],
    grpc: {
      protos: [`${root}protos/library/**/*.proto`],
      includeDirs: [`${root}protos`],
      services: { 'library.v1.LibraryService': { upstream: 'library' } },
    },
    auth: { issuer: { issuer: 'https://me.example', users: [{ name: 'ada', passwordHash: '' }] } },
  })
  const { redocly, spectral } = await lint('everything', document)
  assert.match(redocly.output, /Your API description is valid/, redocly.output)
  assert.doesNotMatch(redocly.output, /\bwarning/, redocly.output)
  assert.match(spectral.output, /No results with a severity of/, spectral.output)
  assert.ok(document.paths['/v1/shelves/{shelf}/books'].get['x-grpc-method'])
  assert.match(document.paths['/v1/shelves'].get.responses['429'].$ref, /ResourceExhausted/)
})
