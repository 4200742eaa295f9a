import {
  type FieldNode,
  GraphQLError,
  type GraphQLResolveInfo,
  Kind,
  parse,
  type SelectionNode,
  valueFromASTUntyped,
} from 'graphql'
import { type FieldModel, fieldOf, type Model, membersOf, named } from './model.ts'
import { fraction, hash } from './random.ts'

/** An object of the world, as resolvers see it. What it is worth is worked out from its id when it is asked for. */
export interface Thing {
  readonly __typename: string
  readonly type: string
  readonly id: string
  /** What the gateway sent about it, for a subgraph that got it as an entity. */
  readonly representation?: Readonly<Record<string, unknown>>
  /** External fields that the field which returned it provides. */
  readonly provided?: readonly string[]
}

/** Who asks: one subgraph, the monolith, or a monolith that reports every fault where it is because all its fields may be null. */
export type Asker = { readonly subgraph: string } | 'monolith' | 'lenient'

/** The data behind a model: a function of the seed, the same for whoever asks. */
export class World {
  readonly model: Model
  /** Which resolvers fail. */
  faults: { readonly seed: string; readonly rate: number } = { seed: '', rate: 0 }
  /** The mutations that were run, in order. */
  readonly log: string[] = []

  constructor(model: Model) {
    this.model = model
  }

  resolve(
    parent: Thing,
    ask: { name: string; args: Readonly<Record<string, unknown>>; asker: Asker },
  ): unknown {
    const { name, args, asker } = ask
    const { type, id } = parent
    const field = fieldOf(this.model, type, name)
    const key = `${type}:${id}.${name}(${canonical(visible(field, args))})`
    if (type === 'Mutation') this.log.push(key)
    const subgraph = typeof asker === 'object' ? asker.subgraph : undefined
    if (subgraph !== undefined) checkAsked(this.model, { field, parent, subgraph })
    const provided = subgraph === undefined ? undefined : field.provides[subgraph]?.split(' ')
    const fault = this.#fault(field, { key, asker, provided })
    if (fault !== undefined) return fault.value
    if (field.keyLeaf !== undefined) return keyValue(field, id)
    const needed = field.requires === undefined ? '' : this.#required(field.requires, { parent, asker })
    const [stricter = field.type] = Object.values(field.typeIn)
    return this.#value(stricter, { field, key: `${this.model.seed}${key}${needed}`, provided })
  }

  /** The entity that a representation stands for. Throws when it cannot stand for one. */
  referenced(representation: Readonly<Record<string, unknown>>, subgraph: string): Thing {
    const { __typename: typename } = representation
    const isObject = this.model.objects.has(String(typename))
    const types = isObject ? [String(typename)] : membersOf(this.model, String(typename))
    for (const type of types) {
      const keys = isObject
        ? (this.model.objects.get(type)?.keys[subgraph] ?? [])
        : [{ fields: 'id', resolvable: true }]
      const usable = keys.filter(
        ({ resolvable, fields }) => resolvable && has(representation, selectionsOf(fields)),
      )
      if (usable.length === 0)
        throw new Error(`no resolvable key in ${JSON.stringify(representation)} for ${subgraph}`)
      for (const id of this.ids(type)) {
        const thing: Thing = { __typename: type, type, id, representation }
        const matches = usable.every(({ fields }) => {
          const selections = selectionsOf(fields)
          return canonical(this.#select(thing, selections)) === canonical(picked(representation, selections))
        })
        if (matches) return thing
      }
    }
    throw new Error(`nothing is known by ${JSON.stringify(representation)}`)
  }

  ids(type: string): string[] {
    return Array.from({ length: 4 }, (_, at) => `${type}-${at}`)
  }

  #fault(
    field: FieldModel,
    { key, asker, provided }: { key: string; asker: Asker; provided: readonly string[] | undefined },
  ): { value: unknown } | undefined {
    const { seed, rate } = this.faults
    if (field.isNeeded || rate === 0 || fraction(`${seed}${key}`) >= rate) return undefined
    const failed = () => new GraphQLError(`Fault at ${key}`, { extensions: { code: 'FAULT' } })
    const { type } = field
    const kind = hash(`${seed}${key}kind`) % 4
    if (kind === 0) throw failed()
    if (kind === 1) {
      if (asker === 'lenient' && type.endsWith('!')) throw failed()
      return { value: null }
    }
    const name = named(type)
    if (kind === 2 && type.replace('!', '') === name && ['Int', 'Boolean', 'Color'].includes(name))
      return { value: 'wrong' }
    if (kind === 3 && type.startsWith('[')) {
      const inner = type.replace(/!$/, '').slice(1, -1)
      const good = this.#value(inner.endsWith('!') ? inner : `${inner}!`, { field, key, provided })
      const isNull = hash(`${seed}${key}item`) % 2 === 0 && !(asker === 'lenient' && inner.endsWith('!'))
      return { value: [good, isNull ? null : failed(), good] }
    }
    throw failed()
  }

  #value(
    type: string,
    of: { field: FieldModel; key: string; provided: readonly string[] | undefined },
  ): unknown {
    const { key, field } = of
    if (type.endsWith('!')) return this.#present(type.slice(0, -1), of)
    return fraction(`${key}null`) < 0.12 || field.possible?.length === 0 ? null : this.#present(type, of)
  }

  #present(
    type: string,
    of: { field: FieldModel; key: string; provided: readonly string[] | undefined },
  ): unknown {
    const { field, key, provided } = of
    if (type.startsWith('[')) {
      const inner = type.slice(1, -1)
      const length = field.possible?.length === 0 ? 0 : hash(`${key}length`) % 4
      return Array.from({ length }, (_, at) => this.#value(inner, { ...of, key: `${key}/${at}` }))
    }
    const leaf = leafValue(type, { key, field, model: this.model })
    if (leaf !== undefined) return leaf
    const names = field.possible ?? membersOf(this.model, type)
    const name = names[hash(`${key}type`) % names.length]
    if (name === undefined) throw new Error(`nothing can be a ${type}`)
    const isEntity = this.model.objects.get(name)?.kind === 'entity'
    const id = isEntity ? (this.ids(name)[hash(key) % 4] ?? '') : `${hash(key)}`
    const thing: Thing = { __typename: name, type: name, id }
    return provided === undefined ? thing : { ...thing, provided }
  }

  /** What `@requires` asks for, as text: of the representation in a subgraph, else of the world. */
  #required(requires: string, { parent, asker }: { parent: Thing; asker: Asker }): string {
    const selections = selectionsOf(requires)
    if (typeof asker !== 'object') return canonical(this.#select(parent, selections))
    const { representation } = parent
    if (representation === undefined || !has(representation, selections))
      throw new Error(`@requires(fields: "${requires}") is not met by ${JSON.stringify(representation)}`)
    return canonical(picked(representation, selections))
  }

  #select(thing: Thing, selections: readonly FieldNode[]): Record<string, unknown> {
    const members = selections.map((node) => {
      const name = node.name.value
      const { args: known, type } = fieldOf(this.model, thing.type, name)
      const given = new Map(node.arguments?.map((one) => [one.name.value, valueFromASTUntyped(one.value)]))
      const args: Record<string, unknown> = {}
      for (const one of known) {
        if (given.has(one.name))
          args[one.name] = named(one.type) === 'ID' ? String(given.get(one.name)) : given.get(one.name)
        else if ('default' in one) args[one.name] = completed(one.default, named(one.type))
      }
      const value = this.resolve(thing, { name, args, asker: 'monolith' })
      return [name, this.#deep(value, { selections: fieldsIn(node), isId: named(type) === 'ID' })]
    })
    return Object.fromEntries(members)
  }

  #deep(value: unknown, of: { selections: readonly FieldNode[]; isId: boolean }): unknown {
    if (value === null || value === undefined) return null
    if (of.selections.length === 0) return value
    if (Array.isArray(value)) return value.map((item) => this.#deep(item, of))
    return this.#select(value as Thing, of.selections)
  }
}

/** A field resolver for `execute` of graphql-js. */
export function resolverFor(world: World, asker: Asker) {
  return (
    parent: Thing | undefined,
    args: Record<string, unknown>,
    _context: unknown,
    info: GraphQLResolveInfo,
  ) => {
    const root = info.parentType.name
    return world.resolve(parent ?? { __typename: root, type: root, id: '' }, {
      name: info.fieldName,
      args,
      asker,
    })
  }
}

/** JSON with the members of objects in order of their names. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined'
  const names = Object.keys(value).sort()
  return `{${names.map((name) => `${name}:${canonical((value as Record<string, unknown>)[name])}`).join()}}`
}

/** A subgraph is asked for what it resolves only. */
function checkAsked(
  { interfaces }: Model,
  { field, parent, subgraph }: { field: FieldModel; parent: Thing; subgraph: string },
): void {
  if (field.owners.has(subgraph) || parent.provided?.includes(field.name)) return
  if (parent.representation?.[field.name] !== undefined) return
  const isKeyThere =
    field.name === 'id' && [...interfaces.values()].some(({ objectIn }) => objectIn.has(subgraph))
  if (isKeyThere && parent.type.startsWith('M')) return
  throw new Error(`${subgraph} was asked for ${parent.type}.${field.name}, which it does not resolve`)
}

function visible(
  { args: known }: FieldModel,
  args: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const shown = known.filter(({ inaccessible, name }) => !inaccessible && name in args)
  return Object.fromEntries(shown.map(({ name }) => [name, args[name]]))
}

function keyValue({ keyLeaf, type }: FieldModel, id: string): unknown {
  const at = Number(id.split('-')[1])
  if (keyLeaf === 'low') return at % 2
  if (keyLeaf === 'high') return `h${Math.floor(at / 2)}`
  return type === 'Int!' ? 7 * at + 1 : id
}

function leafValue(type: string, of: { key: string; field: FieldModel; model: Model }): unknown {
  const { key, field, model } = of
  const h = hash(`${key}leaf`)
  if (type === 'Int') return h % 3 === 0 ? 0 : (h | 0) % 100_000
  if (type === 'Float') return [0, 1, -0.5, 1e21, 1.5e-7, h / 1000][h % 6]
  if (type === 'String') return `${strings[h % strings.length]}${h.toString(36)}`
  if (type === 'Boolean') return h % 2 === 0
  if (type === 'ID') return h.toString(36)
  if (type === 'Stamp') return h % 2 === 0 ? h : `t${h}`
  if (type === 'Json') return json(h)
  const values = field.possible ?? model.enums.get(type)?.values
  return model.enums.has(type) ? values?.[h % values.length] : undefined
}

function json(h: number): unknown {
  const texts = [
    '{"b":1,"a":[null,{"x":"\\u2028"}],"2":true,"1":null}',
    '[]',
    '[1,[2,[null]]]',
    '"text"',
    '0',
    'false',
    '{}',
    '{"__typename":"E0","id":"E0-1"}',
  ]
  return JSON.parse(texts[h % texts.length] ?? 'null')
}

const strings = [
  '',
  'plain ',
  'quote" ',
  'back\\slash ',
  'line\n',
  'ünïcødé 🎉 ',
  '\u2028',
  '\u0000',
  '</script>',
]

const parsed = new Map<string, readonly FieldNode[]>()

function selectionsOf(text: string): readonly FieldNode[] {
  let found = parsed.get(text)
  if (found === undefined) {
    const [definition] = parse(`{ ${text} }`, { noLocation: true }).definitions
    found = definition?.kind === Kind.OPERATION_DEFINITION ? fieldsOf(definition.selectionSet.selections) : []
    parsed.set(text, found)
  }
  return found
}

function fieldsIn(node: FieldNode): readonly FieldNode[] {
  return fieldsOf(node.selectionSet?.selections ?? [])
}

function fieldsOf(selections: readonly SelectionNode[]): readonly FieldNode[] {
  return selections.filter((node) => node.kind === Kind.FIELD)
}

function has(value: unknown, selections: readonly FieldNode[]): boolean {
  if (value === null || selections.length === 0) return value !== undefined
  if (Array.isArray(value)) return value.every((item) => has(item, selections))
  if (typeof value !== 'object') return false
  return selections.every((node) => has((value as Record<string, unknown>)[node.name.value], fieldsIn(node)))
}

function picked(value: unknown, selections: readonly FieldNode[]): unknown {
  if (value === null || value === undefined || selections.length === 0) return value
  if (Array.isArray(value)) return value.map((item) => picked(item, selections))
  const members = selections.map(({ name, ...node }) => [
    name.value,
    picked((value as Record<string, unknown>)[name.value], fieldsOf(node.selectionSet?.selections ?? [])),
  ])
  return Object.fromEntries(members)
}

/** A default as graphql-js hands it to resolvers: with the defaults of input objects. */
function completed(value: unknown, type: string): unknown {
  if (type === 'Range' && typeof value === 'object' && value !== null) return { to: 9, ...value }
  return value
}
