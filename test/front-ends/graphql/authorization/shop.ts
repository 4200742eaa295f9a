import { link } from './recording.ts'

/** Two subgraphs with something of everything that can be protected. */
export const shop = {
  accounts: {
    sdl: `${link}
type Query {
  me: User
  users: [User!]!
  open: String!
  either: String @requiresScopes(scopes: [["a", "b"], ["c"]])
  strict: String! @authenticated
  audit: Audit @policy(policies: [["auditor"]])
  ghost: String @policy(policies: [["nobodyDecides"]])
  impossible: String @requiresScopes(scopes: [])
  vault: Vault
  nodes: [Node!]!
  animals: [Animal!]!
  things: [Thing!]!
  userByPin(pin: String!): User
}
type Mutation {
  rename(name: String!): User
  erase: Boolean @requiresScopes(scopes: [["admin"]])
}
type User @key(fields: "id") {
  id: ID!
  name: String!
  ssn: String @requiresScopes(scopes: [["pii"]])
  pin: String! @requiresScopes(scopes: [["pii"]])
  email: String @authenticated
  level: Level
  levels: [[Level!]]
  born: Date
  friends: [User!]!
  best: User
}
type Audit { entry: String }
type Vault @requiresScopes(scopes: [["vault"]]) { code: String room: User }
enum Level @requiresScopes(scopes: [["level"]]) { LOW HIGH }
scalar Date @authenticated
interface Node { id: ID! }
type Rock implements Node { id: ID! weight: Int }
type Gem implements Node @authenticated { id: ID! carat: Int }
interface Animal { name: String }
type Dog implements Animal { name: String bark: String }
type Cat implements Animal { name: String @requiresScopes(scopes: [["cats"]]) meow: String }
union Thing = Rock | Vault | User
`,
    resolvers: {
      Query: {
        me: () => user('1'),
        users: () => [user('1'), user('2')],
        open: () => 'open',
        either: () => 'either',
        strict: () => 'strict',
        audit: () => ({ entry: 'x' }),
        ghost: () => 'boo',
        impossible: () => 'impossible',
        vault: () => ({ code: '0000', room: user('1') }),
        nodes: () => [
          { __typename: 'Rock', id: 'r', weight: 3 },
          { __typename: 'Gem', id: 'g', carat: 24 },
        ],
        animals: () => [
          { __typename: 'Dog', name: 'Rex', bark: 'wuff' },
          { __typename: 'Cat', name: 'Tom', meow: 'miau' },
        ],
        things: () => [
          { __typename: 'Rock', id: 'r', weight: 3 },
          { __typename: 'Vault', code: '0000' },
          { __typename: 'User', ...user('2') },
        ],
        userByPin: () => user('1'),
      },
      Mutation: { rename: () => user('1'), erase: () => true },
      User: {
        __resolveReference: ({ id }: { id: string }) => user(id),
        friends: ({ id }: { id: string }) => [user(id === '1' ? '2' : '1')],
        best: ({ id }: { id: string }) => user(id === '1' ? '2' : '1'),
      },
    },
  },
  reviews: {
    sdl: `${link}
type Query { reviews: [Review!] }
type Review { body: String author: User }
type User @key(fields: "id") {
  id: ID!
  reviews: [Review!]
  ssn: String @external
  risk: Int @requires(fields: "ssn") @requiresScopes(scopes: [["pii"]])
}`,
    resolvers: {
      Query: { reviews: () => [{ body: 'fine', author: { id: '1' } }] },
      User: {
        reviews: ({ id }: { id: string }) => [{ body: `of ${id}`, author: { id } }],
        risk: ({ ssn }: { ssn?: string }) => ssn?.length ?? -1,
      },
    },
  },
} as const

function user(id: string): object {
  return {
    id,
    name: id === '1' ? 'Ada' : 'Alan',
    ssn: `ssn-${id}`,
    pin: `pin-${id}`,
    email: `${id}@example.com`,
    level: 'HIGH',
    levels: [['LOW'], null],
    born: '1815-12-10',
  }
}
