import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openApiPath } from '../../src/routing/open-api-path.ts'
import { parseTemplate } from '../../src/routing/template.ts'

const cases: readonly [template: string, path: string][] = [
  ['/v1/messages/{message_id}', '/v1/messages/{message_id}'],
  ['/v1/{name=messages/*}', '/v1/messages/{message}'],
  ['/v1/{name=shelves/*/books/*}', '/v1/shelves/{shelf}/books/{book}'],
  ['/v1/{name=shelves/*}/{other=shelves/*}:merge', '/v1/shelves/{shelf}/shelves/{shelf_2}:merge'],
  ['/v1/{book.name}', '/v1/{book_name}'],
  ['/v1/{book.name=shelves/*}:move', '/v1/shelves/{shelf}:move'],
  ['/v1/{name=*/*}', '/v1/{name}/{name_2}'],
  ['/v1/{path=**}', '/v1/{path}'],
  ['/v1/{path=files/**}', '/v1/files/{path_rest}'],
  ['/v1/*/{segment}', '/v1/{segment}/{segment_2}'],
  [
    '/v1/{a=databases/*}/{b=entries/*}/{c=addresses/*}',
    '/v1/databases/{database}/entries/{entry}/addresses/{address}',
  ],
  ['/', '/'],
]

for (const [template, path] of cases) {
  test(`${template} is ${path}`, () => assert.equal(openApiPath(parseTemplate(template)).text, path))
}

test('a path takes over the names of an earlier one of its shape', () => {
  const first = openApiPath(parseTemplate('/v1/{name=shelves/*}'))
  const second = openApiPath(parseTemplate('/v1/shelves/{id}'))
  assert.equal(second.shape, first.shape)
  const names = first.parameters.map(({ name }) => name)
  assert.equal(openApiPath(parseTemplate('/v1/shelves/{id}'), names).text, first.text)
})
