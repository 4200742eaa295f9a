import { link } from '../authorization/recording.ts'

/** Something that Apollo's planner (2.14) gets wrong by itself, with what one server would answer. */
export interface Fault {
  readonly name: string
  readonly sources: Readonly<Record<string, { readonly sdl: string; readonly resolvers: object }>>
  readonly query: string
  readonly variables?: Readonly<Record<string, unknown>>
  readonly data: unknown
}

const rates: Readonly<Record<string, number>> = { USD: 100, EUR: 80 }

/** Prices by currency in one subgraph, what is computed from them in another. */
const shop: Fault['sources'] = {
  catalog: {
    sdl: `${link}
type Query { products: [Product!]! }
type Product @key(fields: "id") { id: ID! title: String! price(currency: String = "CHF"): Int maker: Maker! }
type Maker { id: ID! fame(in: String!): Int }`,
    resolvers: {
      Query: { products: () => [{ id: '1' }, { id: '2' }] },
      Product: {
        __resolveReference: ({ id }: { id: string }) => ({ id }),
        title: ({ id }: { id: string }) => `Product ${id}`,
        price: ({ id }: { id: string }, { currency }: { currency: string }) =>
          (rates[currency] ?? 90) * Number(id),
        maker: ({ id }: { id: string }) => ({ id }),
      },
      Maker: { fame: ({ id }: { id: string }, given: { in: string }) => given.in.length * Number(id) },
    },
  },
  taxes: {
    sdl: `${link}
type Product @key(fields: "id") {
  id: ID!
  title: String! @external
  price(currency: String = "CHF"): Int @external
  maker: Maker! @external
  taxUsd: Int @requires(fields: "price(currency: \\"USD\\")")
  taxEur: Int @requires(fields: "price(currency: \\"EUR\\")")
  plainTax: Int @requires(fields: "price")
  renown: Int @requires(fields: "maker { fame(in: \\"ch\\") }")
  label: String @requires(fields: "title")
  origin: String!
}
type Maker { fame(in: String!): Int @external }`,
    resolvers: {
      Product: {
        taxUsd: ({ price }: { price: number }) => price / 10,
        taxEur: ({ price }: { price: number }) => price / 10,
        plainTax: ({ price }: { price: number }) => price / 10,
        renown: ({ maker }: { maker: { fame: number } }) => maker.fame,
        label: ({ title }: { title: string }) => `<${title}>`,
        origin: ({ id }: { id: string }) => `origin ${id}`,
      },
    },
  },
}

/** The first subgraph that a product is asked of cannot be entered by its first key. */
const keys: Fault['sources'] = {
  a: {
    sdl: `${link}
type Query { things: [Thing!]! }
type Thing @key(fields: "id", resolvable: false) @key(fields: "sku") {
  id: ID!
  sku: ID!
  weight: Int @external
  shipping: Int @requires(fields: "weight")
}`,
    resolvers: {
      Query: { things: () => [{ id: '1', sku: 's1' }] },
      Thing: {
        __resolveReference: ({ sku, weight }: { sku?: string; weight?: number }) => {
          if (sku === undefined) throw new Error('only by sku')
          return { id: sku.slice(1), sku, weight }
        },
        shipping: ({ weight }: { weight: number }) => weight * 2,
      },
    },
  },
  b: {
    sdl: `${link}
type Thing @key(fields: "id") { id: ID! weight: Int }`,
    resolvers: {
      Thing: {
        __resolveReference: ({ id }: { id: string }) => ({ id }),
        weight: ({ id }: { id: string }) => Number(id) * 7,
      },
    },
  },
}

/** Two types whose objects are reached by one path. */
const pets: Fault['sources'] = {
  pets: {
    sdl: `${link}
type Query { pets: [Pet!]! }
interface Pet { id: ID! }
type Dog implements Pet { id: ID! owner: Person! }
type Cat implements Pet { id: ID! owner: Person! }
type Person @key(fields: "id") { id: ID! }`,
    resolvers: {
      Query: {
        pets: () => [
          { __typename: 'Dog', id: 'd', owner: { id: '1' } },
          { __typename: 'Cat', id: 'c', owner: { id: '2' } },
        ],
      },
    },
  },
  people: {
    sdl: `${link}
type Person @key(fields: "id") { id: ID! score(times: Int!): Int name: String onlyFirst: Int }`,
    resolvers: {
      Person: {
        score: ({ id }: { id: string }, { times }: { times: number }) => Number(id) * times,
        name: ({ id }: { id: string }) => `Person ${id}`,
        onlyFirst: ({ id }: { id: string }) => {
          if (id !== '1') throw new Error('asked of the second')
          return 1
        },
      },
    },
  },
}

/** A field that needs a field that itself needs one of the first subgraph's neighbours. */
const chain: Fault['sources'] = {
  a: {
    sdl: `${link}
type Query { e: E es: [E!]! }
type E @key(fields: "k") { k: ID! id: ID! @external f0(times: Int = 1): String @requires(fields: "id") }`,
    resolvers: {
      Query: { e: () => ({ k: '1' }), es: () => [{ k: '1' }, { k: '2' }] },
      E: {
        __resolveReference: (given: object) => given,
        f0: ({ id }: { id?: string }, { times }: { times: number }) => `f0(${id})`.repeat(times),
      },
    },
  },
  b: {
    sdl: `${link}
type E @key(fields: "k") {
  k: ID!
  id: ID!
  f0(times: Int = 1): String @external
  f2: String @requires(fields: "f0")
  f3: String @requires(fields: "f0(times: 2)")
}`,
    resolvers: {
      E: {
        __resolveReference: (given: { k: string }) => ({ ...given, id: `id ${given.k}` }),
        f2: ({ f0 }: { f0?: string }) => `f2(${f0})`,
        f3: ({ f0 }: { f0?: string }) => `f3(${f0})`,
      },
    },
  },
}

/** Media are told apart in one subgraph only. */
const media: Fault['sources'] = {
  kinds: {
    sdl: `${link}
interface Media @key(fields: "id") { id: ID! shared: String }
type Book implements Media @key(fields: "id") { id: ID! shared: String }
type Film implements Media @key(fields: "id") { id: ID! shared: String }`,
    resolvers: {
      Media: {
        __resolveReference: ({ id }: { id: string }) => ({
          __typename: id === '1' ? 'Book' : 'Film',
          id,
          shared: `shared ${id}`,
        }),
      },
      Book: { __resolveReference: ({ id }: { id: string }) => ({ id, shared: `shared ${id}` }) },
      Film: { __resolveReference: ({ id }: { id: string }) => ({ id, shared: `shared ${id}` }) },
    },
  },
  lists: {
    sdl: `${link}
type Query { all: [Media!]! }
type Media @key(fields: "id") @interfaceObject { id: ID! }`,
    resolvers: { Query: { all: () => [{ id: '1' }, { id: '2' }] } },
  },
  ratings: {
    sdl: `${link}
type Media @key(fields: "id") @interfaceObject {
  id: ID!
  shared: String @external
  rating(of: Int = 0): String @requires(fields: "shared")
}`,
    resolvers: {
      Media: {
        __resolveReference: (given: object) => given,
        rating: ({ shared }: { shared: string }, { of }: { of: number }) => `${shared}: ${of}`,
      },
    },
  },
}

const two = <T>(of: (n: number) => T): { products: T[] } => ({ products: [of(1), of(2)] })

export const faults: readonly Fault[] = [
  {
    name: 'a field with other arguments than those a @requires names, under the same key',
    sources: shop,
    query: '{ products { price(currency: "EUR") taxUsd } }',
    data: two((n) => ({ price: 80 * n, taxUsd: 10 * n })),
  },
  {
    name: 'a field without arguments, where a @requires names some',
    sources: shop,
    query: '{ products { price taxUsd } }',
    data: two((n) => ({ price: 90 * n, taxUsd: 10 * n })),
  },
  {
    name: 'a field with arguments, where a @requires names none',
    sources: shop,
    query: '{ products { price(currency: "EUR") plainTax } }',
    data: two((n) => ({ price: 80 * n, plainTax: 9 * n })),
  },
  {
    name: 'the same field as the @requires, under its key',
    sources: shop,
    query: '{ products { price(currency: "USD") taxUsd } }',
    data: two((n) => ({ price: 100 * n, taxUsd: 10 * n })),
  },
  {
    name: 'an alias that is the name of a field that a @requires names',
    sources: shop,
    query: '{ products { title: origin label } }',
    data: two((n) => ({ title: `origin ${n}`, label: `<Product ${n}>` })),
  },
  {
    name: 'an alias that is the name of a key',
    sources: shop,
    query: '{ products { id: title origin } }',
    data: two((n) => ({ id: `Product ${n}`, origin: `origin ${n}` })),
  },
  {
    name: 'an alias that is __typename',
    sources: shop,
    query: '{ products { __typename: title origin kind: __typename } }',
    data: two((n) => ({ __typename: `Product ${n}`, origin: `origin ${n}`, kind: 'Product' })),
  },
  {
    name: 'two fields whose @requires name the same field with different arguments',
    sources: shop,
    query: '{ products { taxUsd taxEur origin } }',
    data: two((n) => ({ taxUsd: 10 * n, taxEur: 8 * n, origin: `origin ${n}` })),
  },
  {
    name: 'all of it at once, under aliases',
    sources: shop,
    query: `{ products { taxEur price: taxUsd usd: price(currency: "USD") id: plainTax ...More } }
fragment More on Product { eur: price(currency: "EUR") label title: renown __typename }`,
    data: two((n) => ({
      taxEur: 8 * n,
      price: 10 * n,
      usd: 100 * n,
      id: 9 * n,
      eur: 80 * n,
      label: `<Product ${n}>`,
      title: 2 * n,
      __typename: 'Product',
    })),
  },
  {
    name: 'a @requires with arguments deep within',
    sources: shop,
    query: '{ products { renown maker { fame(in: "abroad") } } }',
    data: two((n) => ({ renown: 2 * n, maker: { fame: 6 * n } })),
  },
  {
    name: 'fields beside a conditional @requires that is off',
    sources: shop,
    query: 'query ($on: Boolean!) { products { taxUsd @include(if: $on) origin label @skip(if: $on) } }',
    variables: { on: false },
    data: two((n) => ({ origin: `origin ${n}`, label: `<Product ${n}>` })),
  },
  {
    name: 'fields beside a conditional @requires that is on',
    sources: shop,
    query: 'query ($on: Boolean!) { products { taxUsd @include(if: $on) origin label @skip(if: $on) } }',
    variables: { on: true },
    data: two((n) => ({ taxUsd: 10 * n, origin: `origin ${n}` })),
  },
  {
    name: 'objects of which conditions leave nothing',
    sources: shop,
    query:
      'query ($on: Boolean = false) { products { ...T @include(if: $on) maker { fame(in: "x") @include(if: $on) } } } fragment T on Product { title }',
    data: two(() => ({ maker: {} })),
  },
  {
    name: 'an operation of which conditions leave nothing',
    sources: shop,
    query: 'query ($on: Boolean!) { products @include(if: $on) { title } }',
    variables: { on: false },
    data: {},
  },
  {
    name: 'a field with different arguments under one key, for two types on one path',
    sources: pets,
    query: '{ pets { ... on Dog { owner { score(times: 1) } } ... on Cat { owner { score(times: 5) } } } }',
    data: { pets: [{ owner: { score: 1 } }, { owner: { score: 10 } }] },
  },
  {
    name: 'an alias for different arguments, for two types on one path',
    sources: pets,
    query:
      '{ pets { ... on Dog { owner { x: score(times: 1) } } ... on Cat { owner { x: score(times: 2) } } } }',
    data: { pets: [{ owner: { x: 1 } }, { owner: { x: 4 } }] },
  },
  {
    name: 'a field of one of two types on one path, which the other has an error for',
    sources: pets,
    query: '{ pets { ... on Dog { owner { onlyFirst } } ... on Cat { owner { name } } } }',
    data: { pets: [{ owner: { onlyFirst: 1 } }, { owner: { name: 'Person 2' } }] },
  },
  {
    name: 'a @requires of a field that has a @requires itself',
    sources: chain,
    query: '{ e { f2 } }',
    data: { e: { f2: 'f2(f0(id 1))' } },
  },
  {
    name: 'a @requires of a field that has a @requires itself, with arguments, beside the fields themselves',
    sources: chain,
    query: '{ es { f0(times: 3) f2 f3 id } }',
    data: {
      es: ['1', '2'].map((k) => ({
        f0: `f0(id ${k})f0(id ${k})f0(id ${k})`,
        f2: `f2(f0(id ${k}))`,
        f3: `f3(f0(id ${k})f0(id ${k}))`,
        id: `id ${k}`,
      })),
    },
  },
  {
    name: 'a field with a @requires of an @interfaceObject, of one of the types',
    sources: media,
    query:
      '{ all { ...B ... on Film { id more: rating(of: 2) } } } fragment B on Book { rating more: rating(of: 3) }',
    data: {
      all: [
        { rating: 'shared 1: 0', more: 'shared 1: 3' },
        { id: '2', more: 'shared 2: 2' },
      ],
    },
  },
  {
    name: 'a key that is not resolvable, before one that is',
    sources: keys,
    query: '{ things { shipping } }',
    data: { things: [{ shipping: 14 }] },
  },
]
