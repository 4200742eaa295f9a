import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openWorkbench } from '../../../../src/front-ends/graphql/supergraph/workbench.ts'
import { composeSupergraph } from '../../../../src/front-ends/graphql/supergraph.ts'

/** `@link` to a version of the federation specification, with the directives that the text uses. */
function linked(minor: number, directives: string, text: string): string {
  const imports = directives.split(' ').map((name) => `"@${name}"`)
  return `extend schema @link(url: "https://specs.apollo.dev/federation/v2.${minor}", import: [${imports.join(', ')}])\n${text}`
}

const product = 'type Query { a: A } type A @key(fields: "id") { id: ID! x: Int }'
const other = 'type A @key(fields: "id") { id: ID! b: Int }'

/** By the version of the specification that a directive came with (specs.apollo.dev/federation). */
const cases: Readonly<Record<string, readonly string[]>> = {
  '1: a subgraph without @link': [
    'type Query { a: A } type A @key(fields: "id") { id: ID! }',
    'extend type A @key(fields: "id") { id: ID! @external b: Int }',
  ],
  '2.0: several keys, compound and nested ones': [
    linked(
      0,
      'key',
      'type Query { a: A } type A @key(fields: "id") @key(fields: "x o { id }") { id: ID! x: Int o: O } type O { id: ID! }',
    ),
  ],
  '2.0: @key(resolvable: false)': [
    linked(0, 'key', product),
    linked(
      0,
      'key',
      'type Query { b: B } type B { a: A } type A @key(fields: "id", resolvable: false) { id: ID! }',
    ),
  ],
  '2.0: @requires and @external': [
    linked(0, 'key', product),
    linked(
      0,
      'key external requires',
      'type A @key(fields: "id") { id: ID! x: Int @external y: Int @requires(fields: "x") }',
    ),
  ],
  '2.0: @provides and @shareable': [
    linked(0, 'key shareable', 'type A @key(fields: "id") { id: ID! x: Int @shareable }'),
    linked(
      0,
      'key external provides',
      'type Query { a: A @provides(fields: "x") } type A @key(fields: "id") { id: ID! x: Int @external }',
    ),
  ],
  '2.0: @override': [
    linked(0, 'key', product),
    linked(0, 'key override', 'type A @key(fields: "id") { id: ID! x: Int @override(from: "s0") }'),
  ],
  '2.0: @inaccessible and @tag': [
    linked(0, 'key inaccessible tag', 'type Query { a: Int @tag(name: "t") b: Int @inaccessible }'),
  ],
  '2.0: @extends': [
    linked(0, 'key', product),
    linked(0, 'key extends external', 'type A @key(fields: "id") @extends { id: ID! @external y: Int }'),
  ],
  '2.1: @composeDirective': [
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.1", import: ["@composeDirective"]) @link(url: "https://my.example/mine/v1.0", import: ["@mine"]) @composeDirective(name: "@mine")\ndirective @mine on FIELD_DEFINITION\ntype Query { a: Int @mine }',
  ],
  '2.3: @interfaceObject': [
    linked(
      3,
      'key',
      'type Query { i: I } interface I @key(fields: "id") { id: ID! } type A implements I @key(fields: "id") { id: ID! }',
    ),
    linked(3, 'key interfaceObject', 'type I @key(fields: "id") @interfaceObject { id: ID! n: Int }'),
  ],
  '2.5: @authenticated and @requiresScopes': [
    linked(
      5,
      'authenticated requiresScopes',
      'type Query { a: Int @authenticated b: Int @requiresScopes(scopes: [["x"]]) }',
    ),
  ],
  '2.6: @policy': [linked(6, 'policy', 'type Query { a: Int @policy(policies: [["x"]]) }')],
  '2.7: @override with a label': [
    linked(7, 'key', product),
    linked(
      7,
      'key override',
      'type A @key(fields: "id") { id: ID! x: Int @override(from: "s0", label: "percent(10)") }',
    ),
  ],
  '2.8: @context and @fromContext': [
    linked(
      8,
      'key context fromContext',
      'type Query { t: T } type T @key(fields: "id") @context(name: "c") { id: ID! p: Int u: U } type U @key(fields: "id") { id: ID! f(a: Int @fromContext(field: "$c { p }")): Int }',
    ),
    linked(8, 'key', 'type U @key(fields: "id") { id: ID! } type Query { q: Int }'),
  ],
  '2.9: @cost and @listSize': [
    linked(9, 'cost listSize', 'type Query { a: [Int] @cost(weight: 3) @listSize(assumedSize: 4) }'),
  ],
  '2.12: @cacheTag, which keeps nothing here': [
    linked(12, 'key cacheTag', `type Query { a: Int @cacheTag(format: "a") } ${other}`),
  ],
}

async function load(texts: readonly string[]): Promise<void> {
  const subgraphs = texts.map((sdl, index) => ({ name: `s${index}`, sdl }))
  const bench = await openWorkbench((await composeSupergraph(subgraphs)).supergraphSdl)
  bench.close()
}

describe('of Federation', () => {
  for (const [name, texts] of Object.entries(cases)) {
    test(`${name}: composes and loads`, async () => await load(texts))
  }

  for (let minor = 0; minor <= 14; minor++) {
    test(`version 2.${minor} is known`, async () => await load([linked(minor, 'key', product)]))
  }

  test('a version that is not known is refused by name', async () => {
    await assert.rejects(load([linked(99, 'key', product)]), /federation\/v2\.99|v2\.99/)
  })

  test('connectors (2.10) are refused: fields that nobody answers must not be served', async () => {
    const sdl = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.10") @link(url: "https://specs.apollo.dev/connect/v0.1", import: ["@connect", "@source"]) @source(name: "v", http: {baseURL: "http://x"})
type Query { a: Int @connect(source: "v", http: {GET: "/a"}, selection: "$") }`
    await assert.rejects(load([sdl]), /connect\/v0\.\d is for: EXECUTION but is unsupported/)
  })
})
