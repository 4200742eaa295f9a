import type { Principal } from '../../../../src/core/principal.ts'
import type { Dice } from './dice.ts'
import { link } from './recording.ts'

/** What a directive asks, and whether a caller meets it. */
export interface Asked {
  readonly text: string
  readonly meets: (principal: Principal | undefined) => boolean
}

export interface FieldPlan {
  readonly name: string
  /** `[A!]!` */
  readonly type: string
  readonly asked: Asked | undefined
  /** The subgraph that has it; undefined: both. */
  readonly home: 0 | 1 | undefined
  /** A field of the other subgraph that it is computed from. */
  readonly requires?: string
}

export interface TypePlan {
  readonly name: string
  readonly asked: Asked | undefined
  readonly fields: readonly FieldPlan[]
  readonly implementsI: boolean
}

/** Three objects with a key, an interface `I` that some of them implement, a union `U` of all, an enum `E`, and `Query`. */
export interface SchemaPlan {
  readonly types: readonly TypePlan[]
  readonly enumAsked: Asked | undefined
}

export const scopes = ['a', 'b', 'c']
export const objectNames = ['A', 'B', 'C']

export function randomSchema(dice: Dice): SchemaPlan {
  const field = (name: string): FieldPlan => ({
    name,
    type: dice
      .pick(shapes)
      .replace('T', dice.pick(['String', 'E', ...objectNames, ...objectNames, 'I', 'U'])),
    asked: randomAsked(dice, 0.3),
    home: dice.below(2) as 0 | 1,
  })
  const objects = objectNames.map((name): TypePlan => {
    const implementsI = name === 'A' || dice.chance(0.6)
    const base = randomAsked(dice, 0.3)
    return {
      name,
      asked: randomAsked(dice, 0.1),
      implementsI,
      fields: [
        { name: 'id', type: 'ID!', asked: undefined, home: undefined },
        { name: 'common', type: 'String', asked: randomAsked(dice, 0.3), home: undefined },
        { name: 'base', type: 'String', asked: base, home: 0 },
        // Composition demands that it asks for what the other asks for.
        { name: 'derived', type: 'String', asked: base, home: 1, requires: 'base' },
        ...['f0', 'f1', 'f2', 'f3'].map(field),
      ],
    }
  })
  const query = ['q0', 'q1', 'q2', 'q3', 'q4', 'q5'].map(field)
  const root: TypePlan = { name: 'Query', asked: undefined, implementsI: false, fields: query }
  return { types: [root, ...objects], enumAsked: randomAsked(dice, 0.2) }
}

const shapes = ['T', 'T', 'T!', '[T]', '[T!]', '[T!]!', '[T]!']

function randomAsked(dice: Dice, share: number): Asked | undefined {
  if (!dice.chance(share)) return undefined
  const kind = dice.below(3)
  if (kind === 0) return { text: '@authenticated', meets: (principal) => principal !== undefined }
  const anyOf = Array.from({ length: 1 + dice.below(2) }, () =>
    Array.from({ length: 1 + dice.below(2) }, () => dice.pick(scopes)),
  )
  const name = kind === 1 ? 'requiresScopes(scopes' : 'policy(policies'
  return {
    text: `@${name}: ${JSON.stringify(anyOf)})`,
    meets: (principal) =>
      principal !== undefined && anyOf.some((all) => all.every((one) => principal.scopes.includes(one))),
  }
}

/** The schema of one subgraph; of neither, the whole without directives. */
export function sdlOf({ types, enumAsked }: SchemaPlan, subgraph: 0 | 1 | undefined): string {
  const whole = subgraph === undefined
  const asked = (one: Asked | undefined): string => (whole ? '' : (one?.text ?? ''))
  const objects = types.map((type) => {
    const own = type.fields.filter(({ home }) => whole || home === undefined || home === subgraph)
    const lines = own.map(({ name, type: shape, asked: one, home, requires }) => {
      const shared = whole || home !== undefined || name === 'id' ? '' : '@shareable'
      const from = whole || requires === undefined ? '' : `@requires(fields: "${requires}")`
      return `${name}: ${shape} ${asked(one)} ${shared} ${from}`
    })
    if (type.name === 'Query') return lines.length === 0 ? '' : `type Query { ${lines.join('\n')} }`
    const external = subgraph === 1 ? 'base: String @external' : ''
    const implement = type.implementsI ? 'implements I' : ''
    const key = whole ? '' : '@key(fields: "id")'
    return `type ${type.name} ${implement} ${key} ${asked(type.asked)} { ${lines.join('\n')} ${external} }`
  })
  return [
    whole ? '' : link,
    'interface I { id: ID! common: String }',
    'union U = A | B | C',
    `enum E ${asked(enumAsked)} { ONE TWO }`,
    ...objects,
  ].join('\n')
}

/** Whether a caller may have a field, selected where the type is known to be `typeName`; by the words of Federation, from the plan alone. */
export function mayHave(
  { types, enumAsked }: SchemaPlan,
  place: { readonly typeName: string; readonly fieldName: string },
  principal: Principal | undefined,
): boolean {
  const meets = (asked: Asked | undefined): boolean => asked === undefined || asked.meets(principal)
  const implementing = types.filter(({ implementsI }) => implementsI)
  const mayBe = (name: string): boolean => {
    if (name === 'E') return meets(enumAsked)
    if (name === 'I') return implementing.every(({ asked }) => meets(asked))
    return meets(types.find((type) => type.name === name)?.asked)
  }
  const { typeName, fieldName } = place
  if (!mayBe(typeName)) return false
  const owners = typeName === 'I' ? implementing : types.filter(({ name }) => name === typeName)
  return owners.every(({ fields }) => {
    const field = fields.find(({ name }) => name === fieldName)
    return field === undefined || (meets(field.asked) && mayBe(field.type.replace(/[[\]!]/g, '')))
  })
}

/** An object of the data. */
export interface Thing {
  readonly __typename: string
  readonly id: string
}

/** The value of a field of an object: any that its type allows, and always the same. */
export function valueFor(
  plan: SchemaPlan,
  { owner, field, id }: { owner: string; field: string; id: string },
): unknown {
  const type = plan.types.find(({ name }) => name === owner)?.fields.find(({ name }) => name === field)?.type
  if (type === undefined) return undefined
  if (field === 'id') return id
  if (field === 'derived') return `derived from base of ${owner} ${id}`
  if (field === 'base' || field === 'common') return `${field} of ${owner} ${id}`
  return made(plan, type, `${owner}.${field}.${id}`)
}

function made(plan: SchemaPlan, type: string, seed: string): unknown {
  const chance = hash(seed)
  if (type.endsWith('!'))
    return (
      made(plan, type.slice(0, -1), `${seed}!`) ??
      made(plan, type.slice(0, -1), `${seed}!!!!`) ??
      firm(plan, type, seed)
    )
  if (chance % 5 === 0) return null
  return firm(plan, type, seed)
}

function firm(plan: SchemaPlan, type: string, seed: string): unknown {
  const chance = hash(`${seed}?`)
  const inner = type.replace(/!$/, '')
  if (inner.startsWith('['))
    return Array.from({ length: chance % 3 }, (_, i) => made(plan, inner.slice(1, -1), `${seed}[${i}]`))
  if (inner === 'String') return `text ${chance % 100}`
  if (inner === 'E') return chance % 2 === 0 ? 'ONE' : 'TWO'
  const possible =
    inner === 'I'
      ? plan.types.filter(({ implementsI }) => implementsI).map(({ name }) => name)
      : inner === 'U'
        ? objectNames
        : [inner]
  return { __typename: possible[chance % possible.length], id: String(chance % 4) }
}

/** FNV-1a. */
function hash(text: string): number {
  let found = 0x811c9dc5
  for (let i = 0; i < text.length; i++) found = Math.imul(found ^ text.charCodeAt(i), 0x01000193)
  return (found ^ (found >>> 13)) >>> 0
}
