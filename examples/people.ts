/** A person that users and accounts know by the same id; orders and reviews point here. */
export interface Person {
  readonly id: string
  readonly first: string
  readonly last: string
  readonly username: string
  readonly email: string
}

/** The five people of the demo; 42 is the one that examples and documents speak of. */
export const people: readonly Person[] = [
  { id: '42', first: 'Ada', last: 'Lovelace', username: 'ada', email: 'ada@example.com' },
  { id: '7', first: 'Alan', last: 'Turing', username: 'alan', email: 'alan@example.com' },
  { id: '12', first: 'Grace', last: 'Hopper', username: 'grace', email: 'grace@example.com' },
  { id: '23', first: 'Katherine', last: 'Johnson', username: 'katherine', email: 'katherine@example.com' },
  { id: '99', first: 'Edsger', last: 'Dijkstra', username: 'edsger', email: 'edsger@example.com' },
]
