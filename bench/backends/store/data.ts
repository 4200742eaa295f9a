import type { SubgraphResolvers } from '../../../examples/graphql-server.ts'

interface Review {
  readonly id: string
  readonly body: string
  readonly authorId: string
  readonly upc: string
}

const users = [
  'Ada Lovelace',
  'Alan Turing',
  'Grace Hopper',
  'Edsger Dijkstra',
  'Barbara Liskov',
  'Donald Knuth',
].map((name, index) => ({ id: `${index + 1}`, name, username: `@${name.split(' ')[1]?.toLowerCase()}` }))
const products = ['Table', 'Couch', 'Glass', 'Chair', 'Clock', 'Lamp', 'Shelf', 'Stool', 'Mirror'].map(
  (name, index) => ({
    upc: `${index + 1}`,
    name,
    price: 100 + 250 * index,
    weight: 90 + 35 * index,
  }),
)
/** Each user has reviewed four products. */
const reviews: Review[] = users.flatMap(({ id }, user) =>
  Array.from({ length: 4 }, (_, nth) => ({
    id: `${user * 4 + nth + 1}`,
    body: `A review of some length, as people write them, by user ${id}.`,
    authorId: id,
    upc: `${((user * 2 + nth) % products.length) + 1}`,
  })),
)

const reviewOf = ({ authorId, upc, ...review }: Review): object => ({
  ...review,
  author: { __typename: 'User', id: authorId },
  product: { __typename: 'Product', upc },
})

/** By the name of the subgraph. */
export const resolvers: Readonly<Record<string, SubgraphResolvers>> = {
  accounts: {
    Query: { me: () => users[0], users: () => users },
    User: { __resolveReference: ({ id }: { id: string }) => users.find((user) => user.id === id) },
  },
  products: {
    Query: { topProducts: (_: unknown, { first }: { first: number }) => products.slice(0, first) },
    Product: {
      __resolveReference: ({ upc }: { upc: string }) => products.find((product) => product.upc === upc),
    },
  },
  inventory: {
    Product: {
      __resolveReference: (reference: object) => reference,
      inStock: ({ upc }: { upc: string }) => Number(upc) % 3 !== 0,
      shippingEstimate: ({ price, weight }: { price: number; weight: number }) =>
        price > 1_000 ? 0 : Math.round(weight / 2),
    },
  },
  reviews: {
    User: {
      __resolveReference: (reference: object) => reference,
      reviews: ({ id }: { id: string }) => reviews.filter(({ authorId }) => authorId === id).map(reviewOf),
    },
    Product: {
      __resolveReference: (reference: object) => reference,
      reviews: (product: { upc: string }) => reviews.filter(({ upc }) => upc === product.upc).map(reviewOf),
    },
    Review: {
      __resolveReference: ({ id }: { id: string }) =>
        reviews.filter((review) => review.id === id).map(reviewOf)[0],
    },
  },
}
