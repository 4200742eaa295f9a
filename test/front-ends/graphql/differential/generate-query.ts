import {
  type GraphQLArgument,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  isUnionType,
  parse,
  validate,
} from 'graphql'
import { Random } from './random.ts'

/** One operation with its variables. */
export interface Query {
  readonly text: string
  readonly variables: Record<string, unknown>
}

/** What a query is to be rich in. */
export type QueryKind = 'any' | 'inputs' | 'mutation' | 'subscription'

export interface QueryOptions {
  readonly seed: string
  /** Operations of one seed have the same text and, for each turn, variables of their own. */
  readonly turn: number
  readonly kind: QueryKind
}

/** A valid operation on the schema, or undefined when what came out is not valid, which is for the first turn to find. */
export function generateQuery(schema: GraphQLSchema, options: QueryOptions): Query | undefined {
  const query = new QueryMaker(schema, options).make()
  if (query.text === '') return undefined
  const isKnown = options.turn > 0
  return isKnown || validate(schema, parse(query.text)).length === 0 ? query : undefined
}

interface Level {
  readonly type: GraphQLCompositeType
  /** The response path to it, without type conditions. */
  readonly path: string
  readonly depth: number
}

interface Meaning {
  /** The object type, `''` for an abstract one. */
  readonly on: string
  readonly field: string
  readonly shape: string
  args: string
}

class QueryMaker {
  readonly #schema: GraphQLSchema
  readonly #kind: QueryKind
  /** Decides on the text. */
  readonly #random: Random
  /** Decides on variables. */
  readonly #given: Random
  /** What a response key at a path stands for, and the types on which it does. */
  readonly #taken = new Map<string, Meaning[]>()
  readonly #variables = new Map<string, { type: string; default: string | undefined }>()
  readonly #values: Record<string, unknown> = {}
  readonly #fragments: { name: string; type: string; text: string }[] = []
  readonly #maxDepth: number
  #left: number

  constructor(schema: GraphQLSchema, { seed, turn, kind }: QueryOptions) {
    this.#schema = schema
    this.#kind = kind
    this.#random = new Random(seed)
    this.#given = new Random(`${seed}/${turn}`)
    this.#maxDepth = 2 + this.#random.int(4)
    this.#left = 6 + this.#random.int(30)
  }

  make(): Query {
    const kind = this.#kind === 'subscription' || this.#kind === 'mutation' ? this.#kind : 'query'
    const type = rootOf(this.#schema, kind)
    if (!type) return { text: '', variables: {} }
    const body = this.#selectionSet({ type, path: '', depth: 0 })
    const spread = this.#spreadIn(body)
    const used = new Set([body, ...spread.map(({ text }) => text)].join(' ').match(/(?<=\$)\w+/g))
    for (const name of Object.keys(this.#values)) if (!used.has(name)) delete this.#values[name]
    const declared = [...this.#variables].filter(([name]) => used.has(name))
    const definitions = declared.map(
      ([name, one]) => `$${name}: ${one.type}${one.default === undefined ? '' : ` = ${one.default}`}`,
    )
    const head = definitions.length > 0 ? `(${definitions.join(', ')})` : ''
    const fragments = spread.map(({ name, type: on, text }) => `fragment ${name} on ${on} ${text}`)
    const text = [`${kind} Q${head} ${body}`, ...fragments].join('\n')
    return { text, variables: this.#values }
  }

  /** The fragments that are spread in the text, or in one another below it. */
  #spreadIn(body: string): { name: string; type: string; text: string }[] {
    const found = new Set<string>()
    const look = (text: string) => {
      for (const name of text.match(/(?<=\.\.\.)F\d+/g) ?? []) {
        if (found.has(name)) continue
        found.add(name)
        look(this.#fragments.find((one) => one.name === name)?.text ?? '')
      }
    }
    look(body)
    return this.#fragments.filter(({ name }) => found.has(name))
  }

  #selectionSet(level: Level): string {
    const random = this.#random
    // A subscription has one root field, and nothing around it.
    if (level.depth === 0 && this.#kind === 'subscription' && !isUnionType(level.type)) {
      const [event] = Object.values(level.type.getFields())
      if (event !== undefined) return `{ ${this.#field(event, level)[0]} }`
    }
    const count = 1 + random.int(level.depth === 0 ? (this.#kind === 'mutation' ? 5 : 3) : 4)
    const parts: string[] = []
    for (let i = 0; i < count; i++) parts.push(...this.#selection(level))
    if (parts.length === 0) parts.push('__typename')
    return `{ ${parts.join(' ')} }`
  }

  #selection(level: Level): string[] {
    const random = this.#random
    const { type, depth } = level
    if (random.chance(0.1)) return [`${random.chance(0.2) ? 'kind: ' : ''}__typename${this.#directives()}`]
    const fragmented = isAbstractType(type) ? 0.45 : 0.12
    if (isUnionType(type) || random.chance(fragmented)) return [this.#fragment(level)]
    const fields = Object.values(type.getFields())
    if (fields.length === 0) return ['__typename']
    const inputs = fields.filter(({ args }) => args.length > 0)
    let field = random.pick(
      this.#kind === 'inputs' && inputs.length > 0 && random.chance(0.6) ? inputs : fields,
    )
    // Far down, and when it grows large, leaves are preferred.
    const deep = depth >= this.#maxDepth || this.#left <= 0
    if (deep && isCompositeType(getNamedType(field.type))) {
      const leaves = fields.filter((one) => !isCompositeType(getNamedType(one.type)))
      if (leaves.length === 0)
        return depth > this.#maxDepth + 2 || this.#left < -20 ? ['__typename'] : this.#field(field, level)
      field = random.pick(leaves)
    } else if (random.chance(0.5) && !deep) {
      const composites = fields.filter((one) => isCompositeType(getNamedType(one.type)))
      if (composites.length > 0) field = random.pick(composites)
    }
    return this.#field(field, level)
  }

  #fragment(level: Level): string {
    const random = this.#random
    const conditions = this.#conditionsFor(level.type)
    const type = random.pick(conditions)
    const inner = { ...level, type, depth: level.depth + 0.5 }
    const known = this.#fragments.filter((one) => one.type === type.name)
    if (known.length > 0 && random.chance(0.25)) return `...${random.pick(known).name}${this.#directives()}`
    const text = this.#left < -30 ? '{ __typename }' : this.#selectionSet(inner)
    if (random.chance(0.3)) {
      const name = `F${this.#fragments.length}`
      this.#fragments.push({ name, type: type.name, text })
      return `...${name}${this.#directives()}`
    }
    const condition = type === level.type && random.chance(0.5) ? '' : ` on ${type.name}`
    return `...${condition}${this.#directives()} ${text}`
  }

  /** Types that share an object with the type. */
  #conditionsFor(type: GraphQLCompositeType): GraphQLCompositeType[] {
    const objects = isObjectType(type) ? [type] : [...this.#schema.getPossibleTypes(type)]
    const all = Object.values(this.#schema.getTypeMap()).filter(
      (one): one is GraphQLCompositeType & GraphQLNamedType =>
        isCompositeType(one) && !one.name.startsWith('__'),
    )
    return all.filter((one) => {
      const others = isObjectType(one) ? [one] : this.#schema.getPossibleTypes(one)
      return objects.some((object) => others.includes(object))
    })
  }

  #field(field: GraphQLField<unknown, unknown>, level: Level): string[] {
    const random = this.#random
    this.#left--
    const args = this.#arguments(field.args)
    const key = this.#keyFor(field, { args, level })
    if (key === undefined) return []
    const alias = key.name === field.name ? '' : `${key.name}: `
    const named = getNamedType(field.type)
    const head = `${alias}${field.name}${key.args}${this.#directives(level.depth)}`
    if (!isCompositeType(named)) return [head]
    const inner = { type: named, path: `${level.path}.${key.name}`, depth: level.depth + 1 }
    const once = `${head} ${this.#selectionSet(inner)}`
    if (!random.chance(0.12)) return [once]
    return [once, `${alias}${field.name}${key.args}${this.#directives()} ${this.#selectionSet(inner)}`]
  }

  /** A response key that is free here, or stands for the same. */
  #keyFor(
    field: GraphQLField<unknown, unknown>,
    { args, level }: { args: string; level: Level },
  ): { name: string; args: string } | undefined {
    const random = this.#random
    const siblings = isUnionType(level.type) ? [] : Object.keys(level.type.getFields())
    const names = [field.name, field.name, field.name, 'a', 'b', random.pick([...siblings, 'c'])]
    const shape = String(field.type)
    const here: Meaning = {
      on: isObjectType(level.type) ? level.type.name : '',
      field: field.name,
      shape,
      args,
    }
    for (let i = 0; i < 4; i++) {
      const name = random.pick(names)
      const place = `${level.path}.${name}`
      const others = this.#taken.get(place) ?? []
      const same = others.find((one) => one.field === field.name && one.shape === shape)
      if (same !== undefined) here.args = same.args
      // Objects of different types may have different fields of one shape under one key.
      const mayBe = (one: Meaning) =>
        (one.field === here.field && one.shape === shape && one.args === here.args) ||
        (one.on !== '' &&
          here.on !== '' &&
          one.on !== here.on &&
          one.shape === shape &&
          !isCompositeType(getNamedType(field.type)))
      if (!others.every(mayBe)) continue
      this.#taken.set(place, [...others, here])
      return { name, args: here.args }
    }
    return undefined
  }

  #directives(depth = 1): string {
    const random = this.#random
    if (depth === 0 && this.#kind === 'subscription') return ''
    if (!random.chance(0.12)) return ''
    const one = () => `@${random.chance(0.5) ? 'skip' : 'include'}(if: ${this.#condition()})`
    const first = one()
    const second = random.chance(0.15) ? one() : first
    return ` ${first}${second.slice(0, 3) === first.slice(0, 3) ? '' : ` ${second}`}`
  }

  #condition(): string {
    const random = this.#random
    if (random.chance(0.25)) return String(random.chance(0.5))
    const name = `c${random.int(3)}`
    if (!this.#variables.has(name)) {
      const kind = random.int(3)
      const type = kind === 0 ? 'Boolean!' : random.pick(['Boolean!', 'Boolean'])
      this.#variables.set(name, { type, default: kind === 0 ? undefined : String(random.chance(0.5)) })
      if (kind === 0 || (kind === 2 && this.#given.chance(0.8))) this.#values[name] = this.#given.chance(0.6)
    }
    return `$${name}`
  }

  #arguments(known: readonly GraphQLArgument[]): string {
    const random = this.#random
    const given = known.filter(
      (one) => isRequiredArgument(one) || random.chance(this.#kind === 'inputs' ? 0.85 : 0.5),
    )
    if (given.length === 0) return ''
    const texts = random
      .shuffled(given)
      .map(
        ({ name, type, defaultValue }) =>
          `${name}: ${this.#value(type, { hasDefault: defaultValue !== undefined, depth: 0 })}`,
      )
    return `(${texts.join(', ')})`
  }

  /** A literal, a variable, or a literal with variables in it. */
  #value(type: GraphQLInputType, place: { hasDefault: boolean; depth: number }): string {
    const random = this.#random
    if (random.chance(0.3)) return `$${this.#variable(type, place.hasDefault)}`
    if (isNonNullType(type)) return this.#literal(type.ofType, place.depth)
    return random.chance(0.12) ? 'null' : this.#literal(type, place.depth)
  }

  #literal(type: GraphQLInputType, depth: number): string {
    const random = this.#random
    if (isNonNullType(type)) return this.#literal(type.ofType, depth)
    if (isListType(type)) {
      // One value stands for a list of it.
      if (!isListType(getNullableType(type.ofType)) && random.chance(0.15))
        return this.#literal(type.ofType, depth)
      const items = Array.from({ length: random.int(3) }, () =>
        this.#value(type.ofType, { hasDefault: false, depth: depth + 1 }),
      )
      return `[${items.join(', ')}]`
    }
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields()).filter(
        (one) => isNonNullType(one.type) || random.chance(depth > 2 ? 0.1 : 0.4),
      )
      const members = fields.map(
        (one) =>
          `${one.name}: ${this.#value(one.type, { hasDefault: one.defaultValue !== undefined, depth: depth + 1 })}`,
      )
      return `{${members.join(', ')}}`
    }
    if (isEnumType(type)) return random.pick(type.getValues()).name
    return random.pick(leafLiterals[String(type)] ?? ['null'])
  }

  #variable(type: GraphQLInputType, hasDefault: boolean): string {
    const random = this.#random
    const same = [...this.#variables].filter(
      ([name, one]) => !name.startsWith('c') && one.type === String(type),
    )
    if (same.length > 0 && random.chance(0.5)) return random.pick(same)[0]
    const name = `v${this.#variables.size}`
    const inner = isNonNullType(type) ? type.ofType : type
    const fallback = random.chance(0.35) ? constant(json(inner, random), inner) : undefined
    // A variable that may be null fits a place that may not when either of them has a default.
    const relaxed = isNonNullType(type) && (fallback !== undefined || hasDefault) && random.chance(0.5)
    const declared = relaxed ? inner : type
    this.#variables.set(name, { type: String(declared), default: fallback })
    const mayOmit = !isNonNullType(declared) || fallback !== undefined
    if (mayOmit && this.#given.chance(0.3)) return name
    const mayBeNull = !isNonNullType(declared) && !isNonNullType(type)
    this.#values[name] = mayBeNull && this.#given.chance(0.2) ? null : json(inner, this.#given)
    return name
  }
}

/** A value of a variable of that type. */
function json(type: GraphQLInputType, random: Random, depth = 0): unknown {
  if (isNonNullType(type)) return json(type.ofType, random, depth)
  const orNull = (inner: GraphQLInputType) =>
    isNonNullType(inner) || random.chance(0.85) ? json(inner, random, depth + 1) : null
  if (isListType(type)) {
    // One value stands for a list of it.
    if (!isListType(getNullableType(type.ofType)) && random.chance(0.15))
      return json(type.ofType, random, depth)
    return Array.from({ length: random.int(3) }, () => orNull(type.ofType))
  }
  if (isInputObjectType(type)) {
    const likely = depth > 1 ? 0.1 : 0.4
    const fields = Object.values(type.getFields()).filter(
      (one) => isNonNullType(one.type) || random.chance(likely),
    )
    return Object.fromEntries(random.shuffled(fields).map((one) => [one.name, orNull(one.type)]))
  }
  if (isEnumType(type)) return random.pick(type.getValues()).name
  return random.pick(leafJson[String(type)] ?? [null])
}

function rootOf(
  schema: GraphQLSchema,
  kind: 'query' | 'mutation' | 'subscription',
): GraphQLObjectType | null | undefined {
  if (kind === 'query') return schema.getQueryType()
  return kind === 'mutation' ? schema.getMutationType() : schema.getSubscriptionType()
}

/** JSON in the spelling of GraphQL. */
function constant(value: unknown, type: GraphQLInputType): string {
  if (value === null) return 'null'
  if (isNonNullType(type)) return constant(value, type.ofType)
  if (isListType(type)) {
    return Array.isArray(value)
      ? `[${value.map((item) => constant(item, type.ofType)).join(', ')}]`
      : constant(value, type.ofType)
  }
  if (isInputObjectType(type)) {
    const fields = type.getFields()
    const members = Object.entries(value as object).flatMap(([name, member]) => {
      const field = fields[name]
      return field === undefined ? [] : `${name}: ${constant(member, field.type)}`
    })
    return `{${members.join(', ')}}`
  }
  return isEnumType(type) ? String(value) : plain(value)
}

function plain(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(plain).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return `{${Object.entries(value)
    .map(([name, member]) => `${name}: ${plain(member)}`)
    .join(', ')}}`
}

const leafLiterals: Readonly<Record<string, readonly string[]>> = {
  Int: ['0', '-3', '2147483647'],
  Float: ['1', '-2.5', '1e10'],
  String: ['""', '"x"', '"q \\" u \\\\ \\u00e4 \\n"', '"""block "text" """'],
  Boolean: ['true', 'false'],
  ID: ['"a"', '7', '"7"'],
  Json: ['{a: [1, {b: null}], c: "x"}', '[]', '1.5', '"$v0"', 'RED', 'true'],
  Stamp: ['1', '"t"'],
}

const leafJson: Readonly<Record<string, readonly unknown[]>> = {
  Int: [0, 5, -2147483648],
  Float: [0, 1.25, 1e21],
  String: ['', 'text', 'q " \\ \u2028 ü 🎉'],
  Boolean: [true, false],
  ID: ['id', 3],
  Json: [{ b: 1, a: [null, { c: [] }] }, [], 'x', 0, false],
  Stamp: [1, 't'],
}
