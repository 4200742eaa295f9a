import type { Backend, BackendOptions } from '../backend.ts'
import { type SubgraphContext, startSubgraph } from '../graphql-server.ts'
import { type Person, people } from '../people.ts'

interface Reference {
  readonly id: string
}

/** Starts the subgraph `accounts`, where users have their names. */
export function startAccounts(options: BackendOptions = {}): Promise<Backend> {
  const resolvers = {
    Query: {
      me: (_: unknown, __: unknown, { userId }: SubgraphContext) => findPerson(userId),
      user: (_: unknown, { id }: Reference) => findPerson(id),
      users: () => people,
    },
    User: {
      __resolveReference: ({ id }: Reference) => findPerson(id),
      name: ({ first, last }: Person) => `${first} ${last}`,
    },
  }
  return startSubgraph({ name: 'accounts', resolvers }, options)
}

function findPerson(id: string): Person | null {
  return people.find((person) => person.id === id) ?? null
}
