import {
  type ArgumentModel,
  type FieldModel,
  field,
  type InterfaceModel,
  type KeyModel,
  type Model,
  membersOf,
  named,
  type ObjectModel,
} from './model.ts'
import { Random } from './random.ts'

/** A graph and its split. Not every one composes. */
export function generateModel(seed: string): Model {
  const maker = new ModelMaker(seed)
  maker.leaves()
  maker.entities()
  maker.values()
  maker.abstracts()
  maker.entityInterface()
  maker.ownFields()
  maker.interfaceFields()
  maker.roots()
  maker.externals()
  maker.variations()
  finish(maker.model)
  return maker.model
}

class ModelMaker {
  readonly model: Model
  readonly #random: Random
  /** Subgraphs that may not define the implementations of the entity interface, because it is an object there. */
  readonly #entityInterfaceRoles = new Map<string, 'home' | 'object' | 'parts'>()

  constructor(seed: string) {
    this.#random = new Random(seed)
    const subgraphs = 'abcde'.slice(0, 2 + this.#random.int(4)).split('')
    const maps = { objects: new Map(), interfaces: new Map(), unions: new Map() }
    this.model = { seed, subgraphs, ...maps, enums: new Map(), inputs: new Map(), scalars: ['Json', 'Stamp'] }
  }

  leaves(): void {
    const { enums, inputs, subgraphs } = this.model
    const random = this.#random
    enums.set('Color', { name: 'Color', values: ['RED', 'GREEN', 'BLUE', 'GREY'], valuesIn: undefined })
    const states = ['NEW', 'OPEN', 'HELD', 'DONE', 'GONE']
    const valuesIn = new Map(subgraphs.map((name) => [name, ['NEW', ...random.some(states.slice(1), 1, 4)]]))
    enums.set('State', { name: 'State', values: states, valuesIn })
    inputs.set('Range', {
      name: 'Range',
      fields: [
        { name: 'from', type: 'Int!' },
        { name: 'to', type: 'Int', default: 9 },
        { name: 'unit', type: 'String' },
      ],
      onlyIn: random.chance(0.3) ? random.pick(subgraphs) : undefined,
    })
    inputs.set('Filter', {
      name: 'Filter',
      fields: [
        { name: 'color', type: 'Color', default: 'GREEN' },
        { name: 'colors', type: '[Color!]' },
        { name: 'ranges', type: '[Range]' },
        { name: 'best', type: 'Range' },
        { name: 'not', type: 'Filter' },
        { name: 'words', type: '[[String!]]' },
        { name: 'json', type: 'Json' },
        ...(random.chance(0.2) ? [{ name: 'secret', type: 'String', inaccessible: true }] : []),
      ],
      onlyIn: undefined,
    })
  }

  entities(): void {
    const random = this.#random
    const { subgraphs, objects } = this.model
    const count = 2 + random.int(3)
    for (let i = 0; i < count; i++) {
      const name = `E${i}`
      const keyFields = ['id']
      if (random.chance(0.35)) keyFields.push('sku')
      if (random.chance(0.3)) keyFields.push('low high')
      if (random.chance(0.3)) keyFields.push(random.chance(0.5) ? 'org { code }' : 'id org { code }')
      const entity = object('entity', name)
      entity.fields.push(
        field('id', random.pick(['ID!', 'ID!', 'String!']), { keyLeaf: 'unique', isNeeded: true }),
      )
      if (keyFields.includes('sku'))
        entity.fields.push(field('sku', 'Int!', { keyLeaf: 'unique', isNeeded: true }))
      if (keyFields.includes('low high')) {
        entity.fields.push(field('low', 'Int!', { keyLeaf: 'low', isNeeded: true }))
        entity.fields.push(field('high', 'String!', { keyLeaf: 'high', isNeeded: true }))
      }
      if (keyFields.some((key) => key.includes('org'))) {
        const org = object('value', `Org${i}`)
        org.fields.push(field('code', 'String!', { isNeeded: true }))
        objects.set(org.name, org)
        entity.fields.push(field('org', `Org${i}!`, { isNeeded: true }))
      }
      objects.set(name, entity)
      // The first subgraph that has it knows all keys: from one key there is a way to each other.
      for (const [place, subgraph] of random.some(random.shuffled(subgraphs), 1, 3).entries()) {
        const keys = place === 0 ? keyFields : random.some(keyFields, 1, keyFields.length)
        const resolvable = keys.map(() => place === 0 || random.chance(0.85))
        if (!resolvable.includes(true)) resolvable[0] = true
        this.#define(
          entity,
          subgraph,
          keys.map((fields, at) => ({ fields, resolvable: resolvable[at] ?? true })),
        )
      }
    }
  }

  values(): void {
    const count = 1 + this.#random.int(3)
    for (let i = 0; i < count; i++) {
      const value = object('value', `V${i}`)
      this.model.objects.set(value.name, value)
      for (let j = 0; j < 2 + this.#random.int(3); j++) {
        value.fields.push(field(`v${i}x${j}`, this.#wrapped(this.#leaf()), { args: this.#args(0.2) }))
      }
      if (i > 0 && this.#random.chance(0.5))
        value.fields.push(field(`v${i}v`, this.#wrapped(`V${this.#random.int(i)}`)))
      if (this.#random.chance(0.4)) {
        const entity = this.#random.pick(this.#entities())
        value.fields.push(field(`v${i}e`, this.#wrapped(entity.name)))
      }
    }
  }

  abstracts(): void {
    const random = this.#random
    const { interfaces, unions, subgraphs } = this.model
    const candidates = [...this.model.objects.values()].filter(({ name }) => !name.startsWith('Org'))
    for (let i = 0; i < random.int(3); i++) {
      const members = random.some(candidates, 2, 4)
      const here = random.some(subgraphs, 1, 3)
      unions.set(`U${i}`, { name: `U${i}`, members: new Map() })
      for (const subgraph of here) this.#memberIn(`U${i}`, subgraph, members)
    }
    for (let i = 0; i < random.int(3); i++) {
      const name = `I${i}`
      const fields = [field(`i${i}`, 'String')]
      for (let j = 0; j < random.int(4); j++)
        fields.push(field(`i${i}x${j}`, this.#wrapped(this.#leaf()), { args: this.#args(0.2) }))
      if (random.chance(0.4)) fields.push(field(`i${i}o`, this.#wrapped(random.pick(candidates).name)))
      interfaces.set(name, { name, fields, members: new Map(), key: undefined, objectIn: new Set() })
      const members = random.some(candidates, 2, 4)
      for (const { fields: own, kind, keys } of members) {
        const definers = resolving(keys)
        for (const [at, template] of fields.entries()) {
          const stricter =
            random.chance(0.3) && !template.type.endsWith('!') ? `${template.type}!` : template.type
          const added = field(template.name, stricter, { args: template.args })
          own.push(added)
          if (kind === 'entity' && at > 0)
            for (const one of random.some(definers, 1, 2)) added.owners.add(one)
        }
      }
      for (const subgraph of random.some(subgraphs, 1, 3)) this.#memberIn(name, subgraph, members)
    }
  }

  entityInterface(): void {
    const random = this.#random
    const { interfaces, subgraphs, objects } = this.model
    if (!random.chance(0.4)) return
    const [home, other, ...rest] = random.shuffled(subgraphs)
    if (home === undefined || other === undefined) return
    this.#entityInterfaceRoles.set(home, 'home').set(other, 'object')
    for (const one of rest) this.#entityInterfaceRoles.set(one, random.chance(0.4) ? 'object' : 'parts')
    const common = field('shared', this.#wrapped(this.#leaf()), { owners: new Set([home]) })
    const members = ['M0', 'M1', 'M2'].slice(0, 2 + random.int(2))
    for (const name of members) {
      const entity = object('entity', name)
      entity.fields.push(field('id', 'ID!', { keyLeaf: 'unique', isNeeded: true }))
      entity.fields.push(field(common.name, common.type, { owners: new Set([home]) }))
      entity.fields.push(field(`own${name}`, this.#wrapped(this.#leaf()), { owners: new Set([home]) }))
      objects.set(name, entity)
      this.#define(entity, home, [{ fields: 'id', resolvable: true }])
      for (const [subgraph, role] of this.#entityInterfaceRoles) {
        if (role === 'parts' && random.chance(0.5))
          this.#define(entity, subgraph, [{ fields: 'id', resolvable: true }])
      }
    }
    const model: InterfaceModel = {
      name: 'N',
      fields: [field('id', 'ID!', { keyLeaf: 'unique', isNeeded: true }), common],
      members: new Map([[home, new Set(members)]]),
      key: 'id',
      objectIn: new Set(
        [...this.#entityInterfaceRoles].flatMap(([name, role]) => (role === 'object' ? [name] : [])),
      ),
    }
    interfaces.set('N', model)
    let count = 0
    for (const subgraph of model.objectIn) {
      for (let i = 0; i < 1 + random.int(3); i++) {
        const type = this.#output(subgraph)
        const added = field(`n${count++}`, type, { args: this.#args(0.2), owners: new Set([subgraph]) })
        if (random.chance(0.3) && common.external.size === 0) {
          added.requires = 'shared'
          common.external.add(subgraph)
          for (const name of members)
            for (const one of objects.get(name)?.fields ?? []) if (one.name === 'shared') one.isNeeded = true
        }
        ;(model.fields as FieldModel[]).push(added)
      }
    }
  }

  /** Fields of entities besides those of keys. */
  ownFields(): void {
    const random = this.#random
    for (const entity of this.#entities()) {
      const definers = resolving(entity.keys)
      for (let i = 0; i < 2 + random.int(5); i++) {
        const owners = random.chance(0.2) ? random.some(definers, 1, 3) : [random.pick(definers)]
        const [first = ''] = owners
        const added = field(`f${i}`, this.#output(first, owners), { args: this.#args(0.3) })
        entity.fields.push(added)
        for (const owner of owners) this.#own(added, owner)
      }
    }
  }

  /** Who resolves the fields of interfaces is settled once everything has its place. */
  interfaceFields(): void {
    for (const { kind, fields, subgraphs } of this.model.objects.values()) {
      for (const one of fields) {
        if (kind === 'value') for (const name of subgraphs) one.owners.add(name)
        for (const owner of one.owners) this.#ensureType(named(one.type), owner)
      }
    }
    for (const { fields } of this.model.interfaces.values()) {
      for (const one of fields) for (const owner of one.owners) this.#ensureType(named(one.type), owner)
    }
  }

  roots(): void {
    const random = this.#random
    const { objects, subgraphs } = this.model
    const query = object('root', 'Query')
    const mutation = object('root', 'Mutation')
    let count = 0
    for (const subgraph of subgraphs) {
      for (let i = 0; i < 1 + random.int(3); i++) {
        const name = `q${count++}`
        const type = random.chance(0.75) ? this.#composite(subgraph) : this.#output(subgraph)
        const added = field(name, this.#wrapped(type.replaceAll(/[[\]!]/g, '')), { args: this.#args(0.3) })
        query.fields.push(added)
        this.#own(added, subgraph)
        const other = random.pick(subgraphs)
        if (random.chance(0.15) && this.#mayHave(other, named(added.type))) this.#own(added, other)
      }
      if (!random.chance(0.6)) continue
      for (let i = 0; i < 1 + random.int(2); i++) {
        const type = random.chance(0.7) ? this.#composite(subgraph) : this.#output(subgraph)
        const added = field(`m${count++}`, named(type), { args: this.#args(0.5) })
        mutation.fields.push(added)
        this.#own(added, subgraph)
      }
    }
    const [first = ''] = subgraphs
    const subscription = object('root', 'Subscription')
    const event = field('s0', named(this.#composite(first)), { args: this.#args(0.5) })
    subscription.fields.push(event)
    this.#own(event, first)
    objects.set('Subscription', subscription)
    objects.set('Query', query)
    if (mutation.fields.length > 0) objects.set('Mutation', mutation)
  }

  /** `@requires`, `@provides` and `@override`. */
  externals(): void {
    for (const entity of this.#entities()) {
      this.#addOverrides(entity)
      this.#addRequires(entity)
    }
    for (const parent of this.model.objects.values()) this.#addProvides(parent)
  }

  variations(): void {
    const random = this.#random
    const ofInterfaces = new Set(
      [...this.model.interfaces.values()].flatMap((one) => one.fields.map(({ name }) => name)),
    )
    for (const { fields, kind } of this.model.objects.values()) {
      for (const one of fields) {
        if (random.chance(0.1)) one.tag = random.pick(['public', 'team-a', 'x/y'])
        if (ofInterfaces.has(one.name)) continue
        if (
          kind !== 'root' &&
          random.chance(0.05) &&
          fields.some((other) => other !== one && !other.inaccessible)
        )
          one.inaccessible = true
        const [owner] = one.owners
        if (
          this.#isLeaf(named(one.type)) &&
          one.owners.size > 1 &&
          !one.type.endsWith('!') &&
          random.chance(0.25) &&
          owner !== undefined
        ) {
          one.typeIn[owner] = `${one.type}!`
          one.isNeeded = true
        }
      }
    }
  }

  #addOverrides(entity: ObjectModel): void {
    const random = this.#random
    for (const one of entity.fields) {
      const [owner] = one.owners
      if (one.owners.size !== 1 || owner === undefined || one.keyLeaf || one.isNeeded || !random.chance(0.12))
        continue
      const others = [...entity.subgraphs].filter(
        (name) => name !== owner && this.#mayHave(name, named(one.type)),
      )
      if (others.length === 0) continue
      one.overriddenIn = random.pick(others)
      this.#ensureType(named(one.type), one.overriddenIn)
    }
  }

  #addRequires(entity: ObjectModel): void {
    const random = this.#random
    for (const [at, one] of entity.fields.entries()) {
      const [owner] = one.owners
      if (owner === undefined || one.owners.size !== 1 || one.keyLeaf || one.isNeeded || one.overriddenIn)
        continue
      if (!random.chance(0.3) || !entity.keys[owner]?.some(({ resolvable }) => resolvable)) continue
      const wanted = entity.fields.slice(0, at).filter(({ owners, overriddenIn, type }) => {
        if (owners.has(owner) || overriddenIn === owner || owners.size === 0) return false
        return this.#isLeaf(named(type)) || this.#mayRequireInto(named(type), owner)
      })
      if (wanted.length === 0) continue
      const selections = random.some(wanted, 1, 2).map((needed) => this.#required(needed, owner))
      one.requires = selections.join(' ')
    }
  }

  #mayRequireInto(name: string, subgraph: string): boolean {
    const into = this.model.objects.get(name)
    return (
      into !== undefined &&
      this.#mayHave(subgraph, name) &&
      into.fields.some(({ type }) => this.#isLeaf(named(type)))
    )
  }

  #required(needed: FieldModel, owner: string): string {
    const random = this.#random
    needed.external.add(owner)
    needed.isNeeded = true
    const own = `${needed.name}${this.#literalArgs(needed)}`
    const name = named(needed.type)
    if (this.#isLeaf(name)) return own
    this.#ensureType(name, owner)
    const into = this.model.objects.get(name)
    if (into === undefined) return own
    const leaves = into.fields.filter(
      ({ type, requires, owners }) => this.#isLeaf(named(type)) && !requires && owners.size > 0,
    )
    const inner = random.some(leaves, 1, 2).map((leaf) => {
      if (!leaf.owners.has(owner)) leaf.external.add(owner)
      leaf.isNeeded = true
      return `${leaf.name}${this.#literalArgs(leaf)}`
    })
    return `${own} { ${inner.join(' ')} }`
  }

  #addProvides(parent: ObjectModel): void {
    const random = this.#random
    for (const one of parent.fields) {
      const into = this.model.objects.get(named(one.type))
      if (into?.kind !== 'entity' || one.overriddenIn || !random.chance(0.25)) continue
      if (
        [...this.model.interfaces.values()].some(({ fields }) => fields.some(({ name }) => name === one.name))
      )
        continue
      for (const owner of one.owners) {
        const wanted = into.fields.filter(
          ({ owners, overriddenIn, requires, type, external, keyLeaf, isNeeded, args }) =>
            args.length === 0 &&
            !owners.has(owner) &&
            owners.size > 0 &&
            !overriddenIn &&
            !requires &&
            !keyLeaf &&
            !isNeeded &&
            !external.has(owner) &&
            this.#isLeaf(named(type)),
        )
        if (wanted.length === 0) continue
        const provided = random.some(wanted, 1, 2)
        for (const { external } of provided) external.add(owner)
        one.provides[owner] = provided.map(({ name }) => name).join(' ')
      }
    }
  }

  #literalArgs({ args }: FieldModel): string {
    const random = this.#random
    const given = args.filter(({ type, inaccessible, ...one }) => {
      const mustBe = type.endsWith('!') && !('default' in one)
      return !inaccessible && simple.has(named(type)) && !type.includes('[') && (mustBe || random.chance(0.6))
    })
    if (given.length === 0) return ''
    return `(${given.map(({ name, type }) => `${name}: ${literals[named(type)]?.[random.int(2)] ?? 'null'}`).join(', ')})`
  }

  #entities(): ObjectModel[] {
    return [...this.model.objects.values()].filter(({ kind }) => kind === 'entity')
  }

  #isLeaf(name: string): boolean {
    return builtIn.includes(name) || this.model.scalars.includes(name) || this.model.enums.has(name)
  }

  #leaf(): string {
    return this.#random.pick([...builtIn, 'String', 'Int', 'Json', 'Stamp', 'Color', 'State'])
  }

  #composite(subgraph: string): string {
    const { objects, interfaces, unions } = this.model
    const values = [...objects.values()].filter(
      ({ kind, name }) => kind === 'value' && !name.startsWith('Org'),
    )
    const groups = [
      this.#entities(),
      this.#entities(),
      values,
      [...interfaces.values(), ...unions.values()],
    ].map((group) => group.map(({ name }) => name).filter((name) => this.#mayHave(subgraph, name)))
    return this.#random.pick(this.#random.pick(groups.filter((group) => group.length > 0)))
  }

  #output(subgraph: string, all: readonly string[] = [subgraph]): string {
    if (this.#random.chance(0.5)) return this.#wrapped(this.#leaf())
    const name = this.#composite(subgraph)
    return this.#wrapped(all.every((one) => this.#mayHave(one, name)) ? name : this.#leaf())
  }

  #wrapped(name: string): string {
    const random = this.#random
    const bang = (type: string) => (random.chance(0.35) ? `${type}!` : type)
    const inner = bang(name)
    const kind = random.next()
    if (kind < 0.6) return inner
    return kind < 0.92 ? bang(`[${inner}]`) : bang(`[${bang(`[${inner}]`)}]`)
  }

  #args(probability: number): ArgumentModel[] {
    const random = this.#random
    if (!random.chance(probability)) return []
    return random.some(argumentKinds, 1, 3).map(({ inaccessible, ...one }) => {
      return inaccessible && random.chance(0.5) ? { ...one, inaccessible } : one
    })
  }

  #own(one: FieldModel, subgraph: string): void {
    one.owners.add(subgraph)
    this.#ensureType(named(one.type), subgraph)
  }

  #mayHave(subgraph: string, name: string): boolean {
    const role = this.#entityInterfaceRoles.get(subgraph)
    if (name === 'N') return role !== 'parts'
    if (/^M\d/.test(name)) return role !== 'object'
    if (this.model.objects.has(name) || this.#isLeaf(name)) return true
    return membersOf(this.model, name).every((member) => this.#mayHave(subgraph, member))
  }

  /** A subgraph with a field of a type defines the type. */
  #ensureType(name: string, subgraph: string): void {
    const { objects, interfaces, unions } = this.model
    const existing = objects.get(name)
    if (existing?.kind === 'entity' && !existing.subgraphs.has(subgraph)) {
      const all = Object.values(existing.keys)
        .flat()
        .filter(({ resolvable }) => resolvable)
      if (all.length === 0) return
      this.#define(existing, subgraph, [
        { fields: this.#random.pick(all).fields, resolvable: this.#random.chance(0.4) },
      ])
    } else if (existing?.kind === 'value' && !existing.subgraphs.has(subgraph)) {
      existing.subgraphs.add(subgraph)
      for (const one of existing.fields) this.#own(one, subgraph)
    }
    if (name === 'N') return
    const abstract = interfaces.get(name) ?? unions.get(name)
    if (abstract === undefined || abstract.members.has(subgraph)) return
    const members = membersOf(this.model, name).flatMap((member) => objects.get(member) ?? [])
    this.#memberIn(name, subgraph, members)
  }

  #memberIn(name: string, subgraph: string, candidates: readonly ObjectModel[]): void {
    const { interfaces, unions } = this.model
    const possible = candidates.filter((one) => this.#mayHave(subgraph, one.name))
    if (possible.length === 0) return
    const chosen = this.#random.some(possible, 1)
    const abstract = interfaces.get(name) ?? unions.get(name)
    abstract?.members.set(subgraph, new Set(chosen.map((one) => one.name)))
    for (const one of chosen) {
      this.#ensureType(one.name, subgraph)
      // One field of each interface is known wherever the interface is.
      const anchor = interfaces.get(name)?.fields[0]?.name
      for (const own of one.fields) if (own.name === anchor) own.owners.add(subgraph)
    }
  }

  #define(entity: ObjectModel, subgraph: string, keys: readonly KeyModel[]): void {
    entity.subgraphs.add(subgraph)
    entity.keys[subgraph] = [...keys]
    for (const { fields } of keys) {
      for (const name of fields
        .replaceAll(/\{.*?\}/g, '')
        .trim()
        .split(/\s+/)) {
        const one = entity.fields.find((other) => other.name === name)
        if (one !== undefined) this.#own(one, subgraph)
      }
    }
  }
}

function object(kind: ObjectModel['kind'], name: string): ObjectModel {
  return { kind, name, fields: [], keys: {}, subgraphs: new Set() }
}

/** The subgraphs that can be entered by a key. */
function resolving(keys: ObjectModel['keys']): string[] {
  return Object.keys(keys).filter((name) => keys[name]?.some(({ resolvable }) => resolvable))
}

/** What every resolver of a field can return. */
function finish(model: Model): void {
  for (const { fields, kind, subgraphs } of model.objects.values()) {
    if (kind === 'value') for (const one of fields) for (const name of subgraphs) one.owners.add(name)
    for (const one of fields) limit(model, one)
  }
  for (const { fields } of model.interfaces.values()) for (const one of fields) limit(model, one)
  for (const { fields } of model.objects.values()) {
    const without = fields.filter(({ owners }) => owners.size === 0)
    for (const one of without) fields.splice(fields.indexOf(one), 1)
  }
  dropUnsupportedInterfaces(model)
}

function limit(model: Model, one: FieldModel): void {
  const name = named(one.type)
  const state = model.enums.get(name)?.valuesIn
  if (state === undefined && !model.interfaces.has(name) && !model.unions.has(name)) return
  // Whoever provides an enum's value knows it too.
  const knowing = state === undefined ? one.owners : new Set([...one.owners, ...one.external])
  const sets = [...knowing].map((owner) => state?.get(owner) ?? membersOf(model, name, owner))
  const possible = sets.reduce<readonly string[]>(
    (all, set) => all.filter((value) => set.includes(value)),
    sets[0] ?? [],
  )
  if (possible.length > 0) {
    one.possible = possible
    return
  }
  const [first] = one.owners
  for (const owner of [...one.owners]) if (owner !== first) one.owners.delete(owner)
  one.possible = sets[0] ?? []
}

/** An interface keeps the fields that all who implement it still have. */
function dropUnsupportedInterfaces(model: Model): void {
  for (const [name, one] of model.interfaces) {
    if (one.key !== undefined) continue
    const members = membersOf(model, name).flatMap((member) => model.objects.get(member) ?? [])
    const kept = one.fields.filter((template) =>
      members.every(({ fields }) => fields.some((own) => own.name === template.name)),
    )
    ;(one.fields as FieldModel[]).splice(0, Number.POSITIVE_INFINITY, ...kept)
  }
}

const builtIn = ['Int', 'Float', 'String', 'Boolean', 'ID']

const simple = new Set(['Int', 'Float', 'String', 'Boolean', 'ID', 'Color'])

const literals: Readonly<Record<string, readonly [string, string]>> = {
  Int: ['3', '-7'],
  Float: ['1.5', '2'],
  String: ['"x"', '"say \\"y\\""'],
  Boolean: ['true', 'false'],
  ID: ['"7"', '12'],
  Color: ['RED', 'BLUE'],
}

const argumentKinds: readonly ArgumentModel[] = [
  { name: 'n', type: 'Int' },
  { name: 'size', type: 'Int', default: 5 },
  { name: 'must', type: 'Int!', default: 1 },
  { name: 'text', type: 'String', default: 'a "b" \\ c' },
  { name: 'on', type: 'Boolean', default: null },
  { name: 'ids', type: '[ID!]' },
  { name: 'color', type: 'Color' },
  { name: 'colors', type: '[Color!]', default: ['RED', 'GREY'] },
  { name: 'filter', type: 'Filter' },
  { name: 'filters', type: '[Filter!]' },
  { name: 'range', type: 'Range', default: { from: 1 } },
  { name: 'json', type: 'Json' },
  { name: 'grid', type: '[[Int]!]' },
  { name: 'ratio', type: 'Float' },
  { name: 'hidden', type: 'String', inaccessible: true },
]
