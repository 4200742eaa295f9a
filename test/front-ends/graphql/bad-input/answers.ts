import type { ServerResponse } from 'node:http'
import type { Name } from './world.ts'

/** What a subgraph does wrong, and what is left of the answer of the gateway. */
export interface BadAnswer {
  readonly name: string
  readonly from: Name
  readonly query: string
  readonly answer: (res: ServerResponse) => void
  readonly data: unknown
  /** `path REASON`, in order. */
  readonly errors: readonly string[]
}

const json = { 'content-type': 'application/json' }
const says =
  (body: string | Buffer, status = 200, head: Record<string, string> = json) =>
  (res: ServerResponse) =>
    void res.writeHead(status, head).end(body)
const gives = (data: unknown) => says(JSON.stringify({ data }))

const both = '{ me { name reviews { body } } cheapest { title } }'
const withoutReviews = { me: { name: 'Ada', reviews: null }, cheapest: { title: 'Lamp' } }
const unreadable = ['me.reviews UPSTREAM_BAD_ANSWER']

const notAtAll: readonly [name: string, answer: (res: ServerResponse) => void, errors?: readonly string[]][] =
  [
    ['noise', says(Buffer.from([0, 255, 254, 13, 10]))],
    [
      'bytes that are no UTF-8',
      says(Buffer.from('{"data":{"_entities":[{"reviews":[{"body":"\xff"}]}]}}', 'latin1')),
    ],
    ['half an object', says('{"data":{"_entities":[{"rev')],
    ['nothing', says('')],
    ['HTML', says('<h1>down</h1>', 200, { 'content-type': 'text/html' })],
    ['JSON that is deep', says(`{"data":${'['.repeat(200_000)}${']'.repeat(200_000)}}`)],
    ['data that is a list', says('{"data":[]}')],
    ['errors that are no list', says('{"data":null,"errors":"no"}')],
    ['neither data nor errors', says('{}')],
    ['500', says('{"data":{"_entities":[{"reviews":[]}]}}', 500)],
    [
      '500 in the type of GraphQL',
      says('{"errors":[{"message":"x"}]}', 500, { 'content-type': 'application/graphql-response+json' }),
    ],
    ['a redirect to where it must not go', says('', 302, { ...json, location: 'http://169.254.169.254/' })],
    ['a redirect that keeps the method', says('', 307, { ...json, location: '/graphql' })],
    ['204', (res) => void res.writeHead(204).end()],
    ['an entity too few', gives({ _entities: [] })],
    ['an entity too many', gives({ _entities: [{ reviews: [] }, { reviews: [] }] })],
    ['entities that are an object', gives({ _entities: {} })],
    [
      'half an answer',
      (res) => {
        res.writeHead(200, { ...json, 'content-length': '1000' })
        res.write('{"data":{"_entities"', () => res.destroy())
      },
      ['me.reviews UPSTREAM_RESET'],
    ],
    ['no answer but a closed connection', (res) => void res.destroy(), ['me.reviews UPSTREAM_RESET']],
    ['never', () => {}, ['me.reviews UPSTREAM_TIMEOUT']],
    [
      'the head, then never',
      (res) => void res.writeHead(200, json).write('{'),
      ['me.reviews UPSTREAM_TIMEOUT'],
    ],
    [
      '17 MB',
      says(`{"data":{"_entities":[{"reviews":[{"body":"${'x'.repeat(17_000_000)}"}]}]}}`),
      ['me.reviews UPSTREAM_TOO_LARGE'],
    ],
  ]

const cheapest = '{ me { name } cheapest { title price } }'
const name = { me: { name: 'Ada' } }
const product = (price: unknown) => gives({ cheapest: { title: 'Lamp', price } })
const noPrice = { ...name, cheapest: null }

/** Answers whose values are not what the schema says: GraphQL specification, section 6.4.4 (handling field errors), 3.5 (result coercion). */
const wrongValues: readonly BadAnswer[] = [
  {
    name: 'null for a field that is never null',
    from: 'products',
    query: cheapest,
    answer: product(null),
    data: noPrice,
    errors: ['cheapest.price UPSTREAM_BAD_ANSWER'],
  },
  {
    name: 'a text for a number',
    from: 'products',
    query: cheapest,
    answer: product('dear'),
    data: noPrice,
    errors: ['cheapest.price UPSTREAM_BAD_ANSWER'],
  },
  {
    name: 'a fraction for an Int',
    from: 'products',
    query: cheapest,
    answer: product(1.5),
    data: noPrice,
    errors: ['cheapest.price UPSTREAM_BAD_ANSWER'],
  },
  {
    name: 'an Int of 53 bits',
    from: 'products',
    query: cheapest,
    answer: product(2 ** 40),
    data: noPrice,
    errors: ['cheapest.price UPSTREAM_BAD_ANSWER'],
  },
  {
    name: 'an object for a scalar',
    from: 'products',
    query: cheapest,
    answer: product({}),
    data: noPrice,
    errors: ['cheapest.price UPSTREAM_BAD_ANSWER'],
  },
  {
    name: 'a list for an object',
    from: 'products',
    query: cheapest,
    answer: gives({ cheapest: [] }),
    data: noPrice,
    errors: ['cheapest UPSTREAM_BAD_ANSWER'],
  },
  {
    name: 'a text for an object',
    from: 'products',
    query: cheapest,
    answer: gives({ cheapest: 'Lamp' }),
    data: noPrice,
    errors: ['cheapest UPSTREAM_BAD_ANSWER'],
  },
  {
    name: 'an object for a list',
    from: 'products',
    query: '{ me { name } products { title } }',
    answer: gives({ products: { title: 'x' } }),
    data: { ...name, products: null },
    errors: ['products UPSTREAM_BAD_ANSWER'],
  },
  {
    name: 'null in a list that has none',
    from: 'products',
    query: '{ me { name } products { title } }',
    answer: gives({ products: [{ title: 'x' }, null] }),
    data: { ...name, products: null },
    errors: ['products.1 UPSTREAM_BAD_ANSWER'],
  },
  {
    name: 'a wrong value deep in a list',
    from: 'products',
    query: '{ me { name } products { title price } }',
    answer: gives({
      products: [
        { title: 'x', price: 1 },
        { title: 'y', price: 'z' },
      ],
    }),
    data: { ...name, products: null },
    errors: ['products.1.price UPSTREAM_BAD_ANSWER'],
  },
  {
    name: 'a field left out',
    from: 'products',
    query: cheapest,
    answer: gives({ cheapest: { title: 'Lamp' } }),
    data: noPrice,
    errors: ['cheapest.price UPSTREAM_BAD_ANSWER'],
  },
  {
    name: 'a prototype',
    from: 'products',
    query: cheapest,
    answer: says('{"data":{"__proto__":{"cheapest":{"title":"x","price":1}}}}'),
    data: noPrice,
    errors: [],
  },
]

export const badAnswers: readonly BadAnswer[] = [
  ...notAtAll.map(
    ([name, answer, errors = unreadable]): BadAnswer => ({
      name,
      from: 'reviews',
      query: both,
      answer,
      data: withoutReviews,
      errors,
    }),
  ),
  ...wrongValues,
]
