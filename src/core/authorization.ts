import type { Authorization } from './route.ts'

/** Whether it cannot be met by somebody who is not known. */
export function asksForSomething(authorization: Authorization): boolean {
  const { roles, scopes, anyScope = [], consumers = [], claims = {} } = authorization
  const lists = [roles, scopes, anyScope, consumers, Object.keys(claims)]
  return lists.some((list) => list.length > 0)
}

/** What it asks for, for people: `one of the roles admin, owner`, `the claim tenant: acme or globex`. */
export function describeAuthorization(authorization: Authorization): string[] {
  const { roles, scopes, anyScope = [], consumers = [], claims = {} } = authorization
  const list = (words: readonly string[], before: string): string[] =>
    words.length === 0 ? [] : [`${before} ${words.join(', ')}`]
  return [
    ...list(consumers, 'one of the consumers'),
    ...list(roles, 'one of the roles'),
    ...list(scopes, 'the scopes'),
    ...list(anyScope, 'one of the scopes'),
    ...Object.entries(claims).map(([name, condition]) => {
      const values = [condition].flat().join(' or ')
      return `the claim ${name}: ${values === '*' ? 'any' : values}`
    }),
  ]
}
