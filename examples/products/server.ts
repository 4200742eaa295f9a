import type { Backend, BackendOptions } from '../backend.ts'
import { startSubgraph } from '../graphql-server.ts'

interface Product {
  readonly upc: string
  readonly name: string
  readonly price: number
  readonly weight: number
}

/** In order of sales; orders and reviews point here by `upc`. */
const products: readonly Product[] = [
  { upc: '1', name: 'Kettle', price: 39.9, weight: 900 },
  { upc: '2', name: 'Mug', price: 10, weight: 300 },
  { upc: '3', name: 'Lamp', price: 24.5, weight: 1_200 },
  { upc: '4', name: 'Desk', price: 189, weight: 31_000 },
  { upc: '5', name: 'Chair', price: 129, weight: 9_500 },
  { upc: '6', name: 'Notebook', price: 4.5, weight: 250 },
]

/** Starts the subgraph `products`: the catalogue. */
export function startProducts(options: BackendOptions = {}): Promise<Backend> {
  const resolvers = {
    Query: {
      product: (_: unknown, { upc }: Pick<Product, 'upc'>) => {
        // Careless on purpose: demos and tests show that the gateway masks what clients may not read.
        if (upc === 'boom') throw new Error('database password is hunter2')
        return findProduct(upc)
      },
      topProducts: (_: unknown, { first }: { first: number | null }) =>
        products.slice(0, Math.max(0, first ?? 5)),
    },
    Product: {
      __resolveReference: ({ upc }: Pick<Product, 'upc'>) => findProduct(upc),
    },
  }
  return startSubgraph({ name: 'products', resolvers }, options)
}

function findProduct(upc: string): Product | null {
  return products.find((product) => product.upc === upc) ?? null
}
