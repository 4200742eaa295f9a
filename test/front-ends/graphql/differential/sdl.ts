import {
  type ArgumentModel,
  type FieldModel,
  type InterfaceModel,
  type Model,
  membersOf,
  named,
  type ObjectModel,
} from './model.ts'

/** What one subgraph declares. */
export function subgraphSdl(model: Model, subgraph: string): string {
  const parts = [`extend schema @link(url: "https://specs.apollo.dev/federation/v2.6", import: ${imports})`]
  for (const one of model.objects.values()) parts.push(objectIn(model, one, subgraph))
  for (const one of model.interfaces.values()) parts.push(interfaceIn(model, one, subgraph))
  for (const { name, members } of model.unions.values()) {
    const here = [...(members.get(subgraph) ?? [])]
    if (here.length > 0) parts.push(`union ${name} = ${here.join(' | ')}`)
  }
  parts.push(...leaves(model, parts.join('\n'), subgraph))
  return parts.filter((part) => part !== '').join('\n')
}

/** What clients see, written without Federation. */
export function apiSdl(model: Model): string {
  const parts: string[] = []
  for (const one of model.objects.values()) {
    const added = addedFields(model, one)
    const fields = [...one.fields, ...added].filter(({ inaccessible }) => !inaccessible)
    const names = interfacesOf(model, one.name)
    if (one.kind !== 'root' && one.subgraphs.size === 0) continue
    parts.push(`type ${one.name}${implementing(names)} {\n${fields.map(plainField).join('\n')}\n}`)
  }
  for (const one of model.interfaces.values()) {
    if (one.members.size === 0) continue
    const fields = one.fields.filter((template) => isDeclared(model, one, template))
    parts.push(`interface ${one.name} {\n${fields.map(plainField).join('\n')}\n}`)
  }
  for (const { name } of model.unions.values()) {
    const members = membersOf(model, name)
    if (members.length > 0) parts.push(`union ${name} = ${members.join(' | ')}`)
  }
  parts.push(...leaves(model, parts.join('\n'), undefined))
  return parts.join('\n')
}

function objectIn(model: Model, one: ObjectModel, subgraph: string): string {
  const fields = one.fields.filter((field) => isIn(field, subgraph))
  if (fields.length === 0 || (one.kind !== 'root' && !one.subgraphs.has(subgraph))) return ''
  const names = interfacesOf(model, one.name, subgraph)
  const keys = (one.keys[subgraph] ?? []).map(
    ({ fields, resolvable }) => ` @key(fields: "${fields}"${resolvable ? '' : ', resolvable: false'})`,
  )
  const body = fields.map((field) => fieldIn(field, subgraph)).join('\n')
  return `type ${one.name}${implementing(names)}${keys.join('')} {\n${body}\n}`
}

function interfaceIn(model: Model, one: InterfaceModel, subgraph: string): string {
  if (one.objectIn.has(subgraph)) {
    const fields = one.fields.filter((field) => field.name === 'id' || isIn(field, subgraph))
    return `type ${one.name} @key(fields: "id") @interfaceObject {\n${fields.map((field) => fieldIn(field, subgraph)).join('\n')}\n}`
  }
  if (!one.members.has(subgraph)) return ''
  const fields = one.fields.filter((template) => isDeclaredIn(model, one, { template, subgraph }))
  const key = one.key === undefined ? '' : ` @key(fields: "${one.key}")`
  return `interface ${one.name}${key} {\n${fields.map(plainField).join('\n')}\n}`
}

function isIn({ owners, external, overriddenIn }: FieldModel, subgraph: string): boolean {
  return owners.has(subgraph) || external.has(subgraph) || overriddenIn === subgraph
}

function fieldIn(one: FieldModel, subgraph: string): string {
  const directives: string[] = []
  const [owner] = one.owners
  if (one.external.has(subgraph) && !one.owners.has(subgraph)) directives.push('@external')
  else if (one.owners.size > 1 || one.external.size > 0) directives.push('@shareable')
  if (one.overriddenIn !== undefined && one.owners.has(subgraph))
    directives.push(`@override(from: "${one.overriddenIn}")`)
  if (one.requires !== undefined && one.owners.has(subgraph))
    directives.push(`@requires(fields: "${escaped(one.requires)}")`)
  if (one.provides[subgraph] !== undefined) directives.push(`@provides(fields: "${one.provides[subgraph]}")`)
  if (subgraph === owner && one.inaccessible) directives.push('@inaccessible')
  if (subgraph === owner && one.tag !== undefined) directives.push(`@tag(name: "${one.tag}")`)
  const type = one.typeIn[subgraph] ?? one.type
  return `  ${one.name}${argumentsText(one.args, true)}: ${type}${directives.map((text) => ` ${text}`).join('')}`
}

function plainField({ name, args, type }: FieldModel): string {
  return `  ${name}${argumentsText(args, false)}: ${type}`
}

function argumentsText(args: readonly ArgumentModel[], inSubgraph: boolean): string {
  const shown = args.filter(({ inaccessible }) => inSubgraph || !inaccessible)
  return shown.length === 0 ? '' : `(${shown.map((one) => argumentText(one, inSubgraph)).join(', ')})`
}

function argumentText(one: ArgumentModel, inSubgraph: boolean): string {
  const value = 'default' in one ? ` = ${literal(one.default, named(one.type))}` : ''
  return `${one.name}: ${one.type}${value}${inSubgraph && one.inaccessible ? ' @inaccessible' : ''}`
}

/** A JavaScript value in the spelling of GraphQL. */
export function literal(value: unknown, typeName: string): string {
  if (Array.isArray(value)) return `[${value.map((item) => literal(item, typeName)).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(
      ([name, member]) => `${name}: ${literal(member, inputTypes[name] ?? '')}`,
    )
    return `{${members.join(', ')}}`
  }
  if (typeof value === 'string' && typeName === 'Color') return value
  return JSON.stringify(value) ?? 'null'
}

/** Members of input objects whose values are no texts though they look like it. */
const inputTypes: Readonly<Record<string, string>> = { color: 'Color', colors: 'Color' }

function leaves(model: Model, text: string, subgraph: string | undefined): string[] {
  const used = new Set(text.match(/\w+/g))
  const parts: string[] = []
  if (used.has('Filter')) for (const name of ['Range', 'Color', 'Json']) used.add(name)
  for (const { name, fields, onlyIn } of model.inputs.values()) {
    if (!used.has(name)) continue
    const shown = fields.filter(({ inaccessible }) => subgraph !== undefined || !inaccessible)
    const lines = shown.map((one) => `  ${argumentText(one, subgraph !== undefined)}`)
    if (onlyIn === subgraph && subgraph !== undefined && isElsewhere(model, subgraph))
      lines.push('  onlyHere: Int')
    parts.push(`input ${name} {\n${lines.join('\n')}\n}`)
  }
  for (const { name, values, valuesIn } of model.enums.values()) {
    if (!used.has(name)) continue
    const here =
      subgraph === undefined || valuesIn === undefined ? values : (valuesIn.get(subgraph) ?? values)
    parts.push(`enum ${name} { ${here.join(' ')} }`)
  }
  for (const name of model.scalars) if (used.has(name)) parts.push(`scalar ${name}`)
  return parts
}

/** What only one subgraph has is hidden from clients when another one has the type too: each has it that takes it as an argument. */
function isElsewhere(model: Model, subgraph: string): boolean {
  return [...model.objects.values()].some(({ fields }) =>
    fields.some(
      ({ args, owners }) =>
        args.some(({ type }) => /Range|Filter/.test(type)) && [...owners].some((owner) => owner !== subgraph),
    ),
  )
}

/** Fields that an `@interfaceObject` adds to an object. */
function addedFields(model: Model, one: ObjectModel): FieldModel[] {
  return [...model.interfaces.values()].flatMap(({ fields, objectIn, members }) => {
    if (objectIn.size === 0 || ![...members.values()].some((set) => set.has(one.name))) return []
    return fields.filter(({ name }) => !one.fields.some((own) => own.name === name))
  })
}

function interfacesOf(model: Model, name: string, subgraph?: string): string[] {
  return [...model.interfaces.values()].flatMap((one) => {
    const sets = subgraph === undefined ? [...one.members.values()] : [one.members.get(subgraph)]
    return sets.some((set) => set?.has(name)) ? [one.name] : []
  })
}

function isDeclared(model: Model, one: InterfaceModel, template: FieldModel): boolean {
  if (one.objectIn.size > 0) return true
  return [...one.members.keys()].some((subgraph) => isDeclaredIn(model, one, { template, subgraph }))
}

/** An interface declares what all who implement it in the subgraph resolve there. */
function isDeclaredIn(
  model: Model,
  one: InterfaceModel,
  { template, subgraph }: { template: FieldModel; subgraph: string },
): boolean {
  if (one.key !== undefined) return template.name === 'id' || template.owners.has(subgraph)
  const members = [...(one.members.get(subgraph) ?? [])]
  return members.every((member) =>
    model.objects
      .get(member)
      ?.fields.some(({ name, owners }) => name === template.name && owners.has(subgraph)),
  )
}

function implementing(names: readonly string[]): string {
  return names.length === 0 ? '' : ` implements ${names.join(' & ')}`
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')
}

const imports =
  '["@key", "@external", "@requires", "@provides", "@shareable", "@override", "@inaccessible", "@tag", "@interfaceObject"]'
