import { link } from '../authorization/recording.ts'

/** Subgraphs that all have all fields of one entity but its key's owner: there are many ways to everything, and the planner compares them. */
export function costlySubgraphs(count: number): { name: string; sdl: string }[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `s${index}`,
    sdl: `${link}
type Query { n${index}: Node }
type Node @key(fields: "id") { id: ID! next: Node @shareable ${fields.map((name) => `${name}: Int @shareable`).join(' ')} own${index}: Int }`,
  }))
}

const fields = ['a', 'b', 'c', 'd']

/** An operation that costs more with each level; `salt` makes it another one. */
export function costlyOperation(levels: number, count: number, salt = ''): string {
  const own = Array.from({ length: count }, (_, index) => `own${index}`).join(' ')
  let text = `{ a ${own} }`
  for (let level = 0; level < levels; level++) text = `{ a b ${own} next ${text} }`
  return `query Costly${salt} { n0 ${text} }`
}
