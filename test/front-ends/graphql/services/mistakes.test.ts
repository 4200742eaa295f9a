// biome-ignore-all lint/suspicious/noTemplateCurlyInString: values in texts are written so
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { ConfigError } from '../../../../src/config/problem.ts'
import { silentLog } from '../../../../src/core/log.ts'
import { createGateway } from '../../../../src/gateway.ts'
import { folderOf } from '../../../config/files.ts'

interface MistakeCase {
  readonly name: string
  /** Lines under the subgraph, and the schema; `‸` stands before each place that a mistake points at, in the configuration first. */
  readonly yaml: string
  readonly sdl: string
  /** What is said of each place, after file, line and column. */
  readonly says: readonly string[]
}

const item = 'type Item { id: ID! title: String! }'
const getItem = 'grpc: { method: catalog.v1.Catalog/GetItem, request: { id: "${args.id}" } }'
const at = 'graphql.subgraphs.s.resolvers'

const cases: readonly MistakeCase[] = [
  {
    name: 'a root field that nothing fills',
    yaml: `resolvers: { Query.item: { ${getItem} } }`,
    sdl: `type Query { item(id: ID!): Item ‸other: Item } ${item}`,
    says: ['subgraph "s": Query.other is filled by nothing: add "Query.other" to resolvers.'],
  },
  {
    name: 'a field that the message has not',
    yaml: `resolvers: { Query.item: { ${getItem} } }`,
    sdl: 'type Query { item(id: ID!): Item }\ntype Item { id: ID!\n  ‸name: String }',
    says: [
      'subgraph "s": Item.name is filled by nothing: catalog.v1.Item has no field "name" (it has: id, title, kind, rating, tags, attributes, added, sold, weight, maker, ownerId). Add "Item.name" to resolvers.',
    ],
  },
  {
    name: 'a field whose type is another one in the message, one line each',
    yaml: `resolvers: { Query.item: { ${getItem} } }`,
    sdl: `type Query { item(id: ID!): Item }
type Item { ‸title: Int ‸id: Boolean ‸tags: String ‸kind: Kind ‸attributes: String ‸weight: [Int] rating: Float added: String ownerId: String sold: Boolean }
enum Kind { KIND_TOOL TOY }`,
    says: [
      'subgraph "s": Item.title does not fit catalog.v1.Item: string is no Int.',
      'subgraph "s": Item.id does not fit catalog.v1.Item: int64 is no Boolean.',
      'subgraph "s": Item.tags does not fit catalog.v1.Item: it is repeated string, and String is no list.',
      'subgraph "s": Item.kind does not fit catalog.v1.Item: catalog.v1.Kind is no Kind.',
      'subgraph "s": Item.attributes does not fit catalog.v1.Item: a map has JSON of many kinds: it needs a scalar of your own.',
      'subgraph "s": Item.weight does not fit catalog.v1.Item: it is int32, and [Int] is a list.',
    ],
  },
  {
    name: 'an argument that nothing uses',
    yaml: `resolvers: { Query.item: { ${getItem} } }`,
    sdl: `type Query { item(id: ID!, ‸lang: String): Item } ${item}`,
    says: [
      'subgraph "s": The argument "lang" of Query.item is used by nothing: name ${args.lang} in its resolver.',
    ],
  },
  {
    name: 'an argument that there is not, in the request',
    yaml: 'resolvers: { Query.item: { grpc: { method: catalog.v1.Catalog/GetItem, request: { ‸id: "${args.ident}" } } } }',
    sdl: `type Query { item: Item } ${item}`,
    says: [`${at}.Query.item.grpc.request.id: Query.item has no argument "ident"`],
  },
  {
    name: 'a variable of a path without an argument',
    yaml: 'upstream: people\nresolvers: { Query.item: { rest: { ‸path: "/items/${args.ident}/${args.id}" } } }',
    sdl: `type Query { item(id: ID!): Item } ${item}`,
    says: [`${at}.Query.item.rest.path: Query.item has no argument "ident" (it has: id)`],
  },
  {
    name: 'a field of a request that the message has not',
    yaml: 'resolvers: { Query.item: { grpc: { method: catalog.v1.Catalog/GetItem, request: { ‸book: "${args.id}" } } } }',
    sdl: `type Query { item(id: ID!): Item } ${item}`,
    says: [`${at}.Query.item.grpc.request.book: catalog.v1.GetItemRequest has no such field`],
  },
  {
    name: 'an argument of another type than the field that it goes to',
    yaml: 'resolvers: { Query.item: { grpc: { method: catalog.v1.Catalog/GetItem, request: { ‸id: "${args.id}" } } } }',
    sdl: `type Query { item(id: Boolean!): Item } ${item}`,
    says: [`${at}.Query.item.grpc.request.id: does not fit Boolean!: int64 is no Boolean`],
  },
  {
    name: 'an input object with a field that the message has not',
    yaml: 'resolvers: { Query.item: { grpc: { method: catalog.v1.Catalog/GetItem, request: { id: 1 } } }, Mutation.add: { grpc: { method: catalog.v1.Catalog/AddItem, request: { item: "${args.new}" } } } }',
    sdl: `type Query { item: Item } type Mutation { add(new: New!): Item } input New { title: String ‸price: Float } ${item}`,
    says: [
      'subgraph "s": catalog.v1.Item has no field "price" (it has: id, title, kind, rating, tags, attributes, added, sold, weight, maker, ownerId).',
    ],
  },
  {
    name: 'a method that there is not',
    yaml: 'resolvers: { Query.item: { grpc: { ‸method: catalog.v1.Catalog/GetItme } } }',
    sdl: `type Query { item: Item } ${item}`,
    says: [
      `${at}.Query.item.grpc.method: catalog.v1.Catalog has no method "GetItme" (it has: GetItem, FindItems, AddItem, WatchItems)`,
    ],
  },
  {
    name: 'a stream',
    yaml: 'resolvers: { Query.item: { grpc: { ‸method: catalog.v1.Catalog/WatchItems } } }',
    sdl: `type Query { item: Item } ${item}`,
    says: [
      `${at}.Query.item.grpc.method: catalog.v1.Catalog/WatchItems is a stream, and parts are single calls`,
    ],
  },
  {
    name: 'a place in the answer that there is not',
    yaml: 'resolvers: { Query.items: { grpc: { method: catalog.v1.Catalog/FindItems }, ‸at: books } }',
    sdl: `type Query { items: [Item!]! } ${item}`,
    says: [`${at}.Query.items.at: catalog.v1.FindItemsResponse has no field "books" (it has: items)`],
  },
  {
    name: 'an answer that is a list where one is expected',
    yaml: 'resolvers: { ‸Query.item: { grpc: { method: catalog.v1.Catalog/FindItems }, at: items } }',
    sdl: `type Query { item: Item } ${item}`,
    says: [
      `${at}.Query.item: what it is answered does not fit Item: it is repeated catalog.v1.Item, and Item is no list`,
    ],
  },
  {
    name: 'a field, a type and an entity that the schema has not',
    yaml: `resolvers:
        Query.item: { ${getItem} }
        ‸Query.itme: { value: 1 }
        ‸Thing.x: { value: 1 }
        ‸Item: { value: {} }`,
    sdl: `type Query { item(id: ID!): Item } ${item}`,
    says: [
      `${at}.Query.itme: Query has no field "itme" (it has: item)`,
      `${at}.Thing.x: the schema has no type "Thing"`,
      `${at}.Item: the schema has no entity "Item"`,
    ],
  },
  {
    name: 'an entity that nothing loads',
    yaml: `resolvers: { Query.item: { ${getItem} } }`,
    sdl: 'type Query { item(id: ID!): Item } type Item @key(fields: "id") { id: ID! ‸title: String! }',
    says: [
      'subgraph "s": The entity Item is loaded by nothing, and Item.title is asked for by its key (nothing fills it): add "Item" to resolvers, or say resolvable: false of the key.',
    ],
  },
  {
    name: 'a key by which an entity is not loaded',
    yaml: `resolvers: { Query.item: { ${getItem} }, Item: { grpc: { method: catalog.v1.Catalog/GetItem, request: { id: "\${this.id}" } } } }`,
    sdl: 'type Query { item(id: ID!): Item } ‸type Item @key(fields: "id") @key(fields: "title") { id: ID! title: String! }',
    says: [
      'subgraph "s": What loads Item needs "id", which the key "title" has not: say resolvable: false of that key.',
    ],
  },
  {
    name: 'an object where there is none, and batch of one object',
    yaml: 'upstream: people\nresolvers: { Query.item: { rest: { ‸path: "/${this.id}" } }, Item.title: { ‸value: "${batch.title}" }, Query.b: { rest: { path: / }, ‸match: id } }',
    sdl: `type Query { item: Item b: Item } ${item}`,
    says: [
      `${at}.Query.item.rest.path: Query.item belongs to no object, so there is no "this"`,
      `${at}.Item.title.value: a value is of one object: write this instead of batch`,
      `${at}.Query.b.match: is for calls that name values of batch: this one is for one object`,
    ],
  },
  {
    name: 'an interface of which nothing says what it is',
    yaml: 'upstream: people\nresolvers: { Query.any: { rest: { path: / } } }',
    sdl: `type Query { ‸any: Any } union Any = Item ${item}`,
    says: ['subgraph "s": Nothing says of which type a Any is: add "Any.__typename" to resolvers.'],
  },
  {
    name: 'subscriptions',
    yaml: `resolvers: { Query.item: { ${getItem} } }`,
    sdl: `type Query { item(id: ID!): Item } ${item} ‸type Subscription { item: Item }`,
    says: ['subgraph "s": Subscriptions need a GraphQL server: there is none here.'],
  },
  {
    name: 'enums and values that the schema has not',
    yaml: `resolvers: { Query.item: { ${getItem} } }
enums: { ‸Sort: {}, Kind: { ‸TOOL: KIND_TOOL } }`,
    sdl: `type Query { item(id: ID!): Item } ${item} enum Kind { KIND_TOY }`,
    says: [
      'graphql.subgraphs.s.enums.Sort: the schema has no enum "Sort"',
      'graphql.subgraphs.s.enums.Kind.TOOL: Kind has no value "TOOL" (it has: KIND_TOY)',
    ],
  },
  {
    name: 'knobs that would do nothing',
    yaml: '‸upstream: people\n‸path: /gql\nresolvers: { Query.item: { value: null, ‸at: x, ‸nullIfNotFound: true } }',
    sdl: `type Query { item: Item } ${item}`,
    says: [
      'graphql.subgraphs.s.upstream: is asked by nothing: no resolver has a rest call (grpc calls go where grpc.services says)',
      'graphql.subgraphs.s.path: is that of a GraphQL server; resolvers have paths of their own',
      `${at}.Query.item.at: is for calls`,
      `${at}.Query.item.nullIfNotFound: is for calls`,
    ],
  },
  {
    name: 'a resolver that says nothing, or twice',
    yaml: 'upstream: people\nresolvers: { ‸Query.item: {}, Query.b: { rest: { path: / }, ‸value: 1 } }',
    sdl: `type Query { item: Item b: Item } ${item}`,
    says: [
      `${at}.Query.item: says nowhere what it is: set one of rest, grpc and value`,
      `${at}.Query.b.value: excludes rest: a field is filled in one way`,
    ],
  },
  {
    name: 'a header with credentials in a text',
    yaml: 'upstream: people\nresolvers: { Query.item: { rest: { path: /, query: { ‸k: "${header.x-api-key}" } } } }',
    sdl: `type Query { item: Item } ${item}`,
    says: [
      `${at}.Query.item.rest.query.k: the header "x-api-key" holds credentials, which are not passed on; see forwardCredentials`,
    ],
  },
  {
    name: 'SDL that cannot be read',
    yaml: 'upstream: people\nresolvers: { Query.item: { rest: { path: / } } }',
    sdl: 'type Query {‸',
    says: ['subgraph "s": Syntax Error: Expected Name, found <EOF>.'],
  },
]

const catalog = readFileSync(`${import.meta.dirname}/catalog.proto`, 'utf8')

for (const { name, yaml, sdl, says } of cases) {
  test(`points at ${name}`, async (t) => {
    const lines = yaml.split('\n').map((line) => `      ${line}`)
    if (!yaml.includes('schema:')) lines.push('      schema: s.graphql')
    const config = `upstreams:
  people: { targets: [{ url: "http://127.0.0.1:1" }] }
  catalog: { targets: [{ url: "http://127.0.0.1:1" }] }
grpc:
  protos: [catalog.proto]
  services: { catalog.v1.Catalog: { upstream: catalog, auth: none } }
graphql:
  auth: none
  subgraphs:
    s:
${lines.join('\n')}
`
    const schema = sdl.replace(
      /^/,
      'extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key"])\n',
    )
    const expected = [...placesIn('gateway.yaml', config), ...placesIn('s.graphql', schema)]
    const inFolder = folderOf(t, {
      'catalog.proto': catalog,
      's.graphql': schema.replaceAll('‸', ''),
      'gateway.yaml': config.replaceAll('‸', ''),
    })
    const options = { file: inFolder('gateway.yaml'), watch: false, offline: true, log: silentLog }
    await assert.rejects(createGateway({ ...options, environment: {} }), (error) => {
      assert.ok(error instanceof ConfigError, String(error))
      const said = error.message.split('\n').map((line) => line.replace(/^\S*\/(?=gateway\.yaml:)/, ''))
      assert.deepEqual(said.toSorted(), says.map((text, i) => `${expected[i]}: ${text}`).toSorted())
      assert.equal(expected.length, says.length)
      return true
    })
  })
}

function placesIn(file: string, text: string): string[] {
  return [...text.matchAll(/‸/g)].map(({ index }) => {
    const before = text.slice(0, index).replaceAll('‸', '').split('\n')
    return `${file}:${before.length}:${(before.at(-1) ?? '').length + 1}`
  })
}
