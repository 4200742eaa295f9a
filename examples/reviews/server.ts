import { EventEmitter, once } from 'node:events'
import { GraphQLError } from 'graphql'
import type { Backend, BackendOptions } from '../backend.ts'
import { type SubgraphContext, startSubgraph } from '../graphql-server.ts'

interface Review {
  readonly id: string
  readonly body: string
  readonly rating: number
  readonly authorId: string
  readonly upc: string
}

const initialReviews: readonly Review[] = [
  { id: '1', body: 'Boils before the kettle song ends.', rating: 5, authorId: '42', upc: '1' },
  { id: '2', body: 'Holds tea. What more is there?', rating: 4, authorId: '42', upc: '2' },
  { id: '3', body: 'It computes nothing.', rating: 2, authorId: '7', upc: '1' },
  { id: '4', body: 'Found a bug in the drawer.', rating: 3, authorId: '12', upc: '4' },
  { id: '5', body: 'I checked the numbers: it is level.', rating: 5, authorId: '23', upc: '4' },
]

type NewReview = Pick<Review, 'upc' | 'body' | 'rating'>

interface Watch {
  readonly after?: string | null
  readonly first?: number | null
}

/** Starts the subgraph `reviews`, which adds reviews to users and products. New ones go with the process. */
export function startReviews(options: BackendOptions = {}): Promise<Backend> {
  const reviews = [...initialReviews]
  const written = new EventEmitter().setMaxListeners(0)
  async function* watch(_: unknown, { after, first }: Watch, { gone }: SubgraphContext) {
    let next = after == null ? reviews.length : reviews.findIndex(({ id }) => id === after) + 1
    for (let left = first ?? Infinity; left > 0; left--) {
      while (next >= reviews.length) await once(written, 'review', { signal: gone })
      yield reviews[next++]
    }
  }
  const resolvers = {
    Mutation: {
      addReview: (_: unknown, { upc, body, rating }: NewReview, { userId }: SubgraphContext) => {
        if (rating < 1 || rating > 5) throw badInput('rating must be from 1 to 5')
        if (body.trim() === '' || body.length > 2_000) throw badInput('body must have 1 to 2000 characters')
        const review = { id: String(reviews.length + 1), body, rating, authorId: userId, upc }
        reviews.push(review)
        written.emit('review')
        return review
      },
    },
    Subscription: {
      reviewWritten: { subscribe: watch, resolve: (review: unknown) => review },
    },
    User: {
      reviews: ({ id }: { id: string }) => reviews.filter((review) => review.authorId === id),
    },
    Product: {
      reviews: ({ upc }: { upc: string }) => reviews.filter((review) => review.upc === upc),
    },
    Review: {
      author: ({ authorId }: Review) => ({ id: authorId }),
      product: ({ upc }: Review) => ({ upc }),
    },
  }
  return startSubgraph({ name: 'reviews', resolvers }, options)
}

function badInput(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } })
}
