import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConfigEdit } from '../../src/control/change.ts'
import { editConfig } from '../../src/control/edit-config.ts'
import { GatewayError } from '../../src/core/error.ts'

const text = `# the shop
upstreams:
  shop:
    targets: [ { url: http://127.0.0.1:3000 } ] # one for now
  spare: { targets: [] }
routes:
  # what everybody may see
  - id: open
    path: /v1/open/**
    upstream: shop
    auth: none
  - id: shop
    path: "/v1/shop/**" # all of it
    upstream: shop
plugins: [ requestId, { cors: { origins: [ "*" ] } } ]
`

const cases: readonly (readonly [name: string, edits: readonly ConfigEdit[], expected: string])[] = [
  [
    'what is patched changes alone, comments and spelling stay',
    [{ op: 'patch', kind: 'routes', id: 'shop', value: { auth: 'none', path: '/v2/shop/**' } }],
    text.replace(
      '"/v1/shop/**" # all of it\n    upstream: shop',
      '/v2/shop/** # all of it\n    upstream: shop\n    auth: none',
    ),
  ],
  [
    'null takes a member out (RFC 7396)',
    [{ op: 'patch', kind: 'routes', id: 'open', value: { auth: null } }],
    text.replace('    auth: none\n', ''),
  ],
  [
    'a list gets another item at its end',
    [{ op: 'create', kind: 'routes', id: 'new', value: { path: '/v1/new', upstream: 'shop' } }],
    text.replace('plugins:', '  - id: new\n    path: /v1/new\n    upstream: shop\nplugins:'),
  ],
  [
    'or in front of another',
    [
      {
        op: 'create',
        kind: 'routes',
        id: 'new',
        value: { path: '/v1/new', upstream: 'shop' },
        before: 'shop',
      },
    ],
    text.replace('  - id: shop', '  - id: new\n    path: /v1/new\n    upstream: shop\n  - id: shop'),
  ],
  [
    'a map gets another member',
    [{ op: 'put', kind: 'upstreams', id: 'new', value: { targets: [] } }],
    text.replace('routes:', '  new:\n    targets: []\nroutes:'),
  ],
  [
    'a kind that there is none of yet is made',
    [{ op: 'put', kind: 'consumers', id: 'acme', value: {} }],
    `${text}consumers:\n  - id: acme\n`,
  ],
  [
    'a section around it too',
    [{ op: 'put', kind: 'subgraphs', id: 'users', value: { upstream: 'shop' } }],
    `${text}graphql:\n  subgraphs:\n    users:\n      upstream: shop\n`,
  ],
  [
    'what is put takes the place of all that was there',
    [{ op: 'put', kind: 'routes', id: 'open', value: { path: '/v1/open/**', upstream: 'spare' } }],
    text.replace('upstream: shop\n    auth: none', 'upstream: spare'),
  ],
  [
    'what is put as it was changes nothing',
    [{ op: 'put', kind: 'upstreams', id: 'spare', value: { targets: [] } }],
    text,
  ],
  [
    'an item goes',
    [{ op: 'delete', kind: 'upstreams', id: 'spare' }],
    text.replace('  spare: { targets: [] }\n', ''),
  ],
  [
    'one that others refer to goes with them',
    [
      { op: 'delete', kind: 'upstreams', id: 'shop' },
      { op: 'patch', kind: 'routes', id: 'open', value: { upstream: 'spare' } },
      { op: 'delete', kind: 'routes', id: 'shop' },
    ],
    text
      .replace('  shop:\n    targets: [ { url: http://127.0.0.1:3000 } ] # one for now\n', '')
      .replace('upstream: shop\n    auth', 'upstream: spare\n    auth')
      .replace('  - id: shop\n    path: "/v1/shop/**" # all of it\n    upstream: shop\n', ''),
  ],
  [
    'a plugin changes its options, and is written by its name when it has none',
    [
      { op: 'put', kind: 'plugins', id: 'cors', value: {} },
      { op: 'put', kind: 'plugins', id: 'requestId', value: { trust: true } },
    ],
    text.replace('[ requestId, { cors: { origins: [ "*" ] } } ]', '[ { requestId: { trust: true } }, cors ]'),
  ],
  [
    'a section is merged',
    [{ op: 'merge', value: { server: { listen: '127.0.0.1:1' }, plugins: null } }],
    text.replace(/plugins: .*\n/, 'server:\n  listen: 127.0.0.1:1\n'),
  ],
  ['all of it is replaced as it was written', [{ op: 'replace', text: '{"routes": []}' }], '{"routes": []}'],
]

for (const [name, edits, expected] of cases)
  test(name, () => {
    assert.equal(editConfig(text, edits), expected)
  })

const refused: readonly (readonly [name: string, edit: ConfigEdit, reason: string])[] = [
  ['an id that is there already', { op: 'create', kind: 'routes', id: 'shop', value: {} }, 'ALREADY_EXISTS'],
  ['a patch of nothing', { op: 'patch', kind: 'routes', id: 'shopp', value: {} }, 'NOT_FOUND'],
  ['a deletion of nothing', { op: 'delete', kind: 'consumers', id: 'shop' }, 'NOT_FOUND'],
  ['an upstream that routes need', { op: 'delete', kind: 'upstreams', id: 'shop' }, 'REFERENCED'],
  [
    'an id that is not that of the value',
    { op: 'put', kind: 'routes', id: 'a', value: { id: 'b' } },
    'INVALID_ARGUMENT',
  ],
  ['a value that is no object', { op: 'put', kind: 'routes', id: 'a', value: [] }, 'INVALID_ARGUMENT'],
  ['a patch of everything that is no object', { op: 'merge', value: 'x' }, 'INVALID_ARGUMENT'],
  ['a document that is no YAML', { op: 'replace', text: 'a: [' }, 'INVALID_BODY'],
]

for (const [name, edit, reason] of refused)
  test(`refuses ${name}`, () => {
    assert.throws(
      () => editConfig(text, [edit]),
      (error) => error instanceof GatewayError && error.reason === reason,
    )
  })

test('names all that refer to what cannot go', () => {
  assert.throws(
    () => editConfig(text, [{ op: 'delete', kind: 'upstreams', id: 'shop' }]),
    /"shop" cannot go: routes\/open upstream, routes\/shop upstream refer to it/,
  )
})

test('an alias is written out before it is changed', () => {
  const aliased = 'upstreams:\n  a: &a { targets: [] }\n  b: *a\n'
  const edits: readonly ConfigEdit[] = [
    { op: 'patch', kind: 'upstreams', id: 'b', value: { targets: ['http://x'] } },
  ]
  assert.match(
    editConfig(aliased, edits),
    /a: &a \{ targets: \[\] \}\n {2}b:\n {4}targets:\n {6}- http:\/\/x/,
  )
})
