// biome-ignore-all lint/suspicious/noTemplateCurlyInString: values in texts of the configuration
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type PathChanges, placePath } from '../../src/api-docs/upstream/place-path.ts'
import { parseTemplate } from '../../src/routing/template.ts'

/** Where clients find a path of the upstream; undefined: nowhere. */
const cases: readonly [
  template: string,
  changes: PathChanges,
  upstream: string,
  placed: string | undefined,
][] = [
  ['/v1/users/**', {}, '/v1/users/{id}', '/v1/users/{id}'],
  ['/v1/users/**', {}, '/v1/users', '/v1/users'],
  ['/v1/users/**', {}, '/v1/orders', undefined],
  ['/v1/users/**', { stripPrefix: '/v1/users' }, '/{id}/orders', '/v1/users/{id}/orders'],
  ['/v1/users/**', { stripPrefix: '/v1/users' }, '/', '/v1/users'],
  ['/v1/users/**', { stripPrefix: '/v1/users', prefix: '/api' }, '/api/{id}', '/v1/users/{id}'],
  ['/v1/users/**', { stripPrefix: '/v1/users', prefix: '/api' }, '/internal/{id}', undefined],
  ['/v1/users/**', { stripPrefix: '/v1' }, '/users/', '/v1/users/'],
  ['/v1/users/**', { stripPrefix: '/v1' }, '/orders/{id}', undefined],
  ['/**', { stripPrefix: '/v1' }, '/users', '/v1/users'],
  ['/users/*', { stripPrefix: '/v1' }, '/users/{id}', '/users/{id}'],
  ['/users/{id}', {}, '/users/{user}', '/users/{user}'],
  ['/users/{id}', {}, '/users/me', '/users/me'],
  ['/users/me', {}, '/users/{user}', '/users/me'],
  ['/users/me', {}, '/users/report-{id}', undefined],
  ['/users/*', {}, '/users/report-{id}.csv', '/users/report-{id}.csv'],
  ['/users/*', {}, '/users', undefined],
  ['/users/*', {}, '/users/{id}/orders', undefined],
  ['/users/{id}:lock', {}, '/users/{id}:lock', '/users/{id}:lock'],
  ['/users/{id}:lock', {}, '/users/{id}', undefined],
  ['/a/**/z', {}, '/a/b/{c}/z', '/a/b/{c}/z'],
  ['/a/**/z', {}, '/a/z', '/a/z'],
  ['/a/**/z', {}, '/a/b', undefined],
  ['/**', {}, '/', '/'],
  ['/v1/hello', { path: '/42' }, '/{id}', '/v1/hello'],
  ['/v1/hello', { path: '/42' }, '/43', undefined],
  ['/v1/people/{id}', { path: '/${path.id}' }, '/{user}', '/v1/people/{user}'],
  [
    '/v1/people/{id}',
    { path: '/users/${path.id}/x', prefix: '/api' },
    '/api/users/{user}/x',
    '/v1/people/{user}',
  ],
  ['/v1/people/{id}', { path: '/users' }, '/users', '/v1/people/{id}'],
  ['/v1/{rest=**}', { path: '/api/${path.rest}' }, '/api/users/{id}', '/v1/users/{id}'],
  ['/v1/people/{id}', { path: '/${header.x-tenant}/${path.id}' }, '/{tenant}/{user}', '/v1/people/{user}'],
]

for (const [template, changes, upstream, placed] of cases)
  test(`${template} ${JSON.stringify(changes)}: ${upstream} is ${placed ?? 'not asked for'}`, () => {
    assert.equal(placePath(upstream, { template: parseTemplate(template), changes })?.text, placed)
  })
