import { type GraphQLObjectType, getNamedType, isAbstractType, isEnumType, isObjectType } from 'graphql'
import type { CompiledService, ServiceOptions } from './compiled-service.ts'
import { list } from './compiled-service.ts'
import type { MistakeList } from './service-mistakes.ts'

/** Checks that everything in the schema can be filled, and that nothing is written for nothing. */
export function checkService(service: CompiledService, options: ServiceOptions, mistakes: MistakeList): void {
  const { schema } = service
  const subscription = schema.getSubscriptionType()
  if (subscription)
    mistakes.in(subscription.astNode, 'Subscriptions need a GraphQL server: there is none here.')
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type === subscription || type.name.startsWith('__')) continue
    checkFields(type, service, mistakes)
    checkEntity(type, service, mistakes)
  }
  checkEnums(service, options, mistakes)
}

function checkFields(
  type: GraphQLObjectType,
  { schema, resolvers }: CompiledService,
  mistakes: MistakeList,
): void {
  const isRoot = type === schema.getQueryType() || type === schema.getMutationType()
  for (const field of Object.values(type.getFields())) {
    if (field.name.startsWith('_')) continue
    const name = `${type.name}.${field.name}`
    const resolver = resolvers.get(name)
    if (resolver === undefined && isRoot)
      mistakes.in(field.astNode, `${name} is filled by nothing: add "${name}" to resolvers.`)
    const used = new Set(resolver?.named.filter(({ kind }) => kind === 'args').map(({ way }) => way[0]))
    for (const arg of field.args)
      if (!used.has(arg.name) && !(isRoot && resolver === undefined))
        mistakes.in(
          arg.astNode,
          `The argument "${arg.name}" of ${name} is used by nothing: name \${args.${arg.name}} in its resolver.`,
        )
    const named = getNamedType(field.type)
    if (isAbstractType(named) && resolver?.value === undefined && !resolvers.has(`${named.name}.__typename`))
      mistakes.in(
        field.astNode,
        `Nothing says of which type a ${named.name} is: add "${named.name}.__typename" to resolvers.`,
      )
  }
}

/** Whether the entity can be had by each of its keys. */
function checkEntity(type: GraphQLObjectType, service: CompiledService, mistakes: MistakeList): void {
  const keys = service.entities.get(type.name)
  if (keys === undefined || keys.resolvable.length === 0) return
  const loader = service.resolvers.get(type.name)
  if (loader !== undefined) {
    const named = loader.named
      .filter(({ kind, required }) => kind !== 'args' && required)
      .map(({ way }) => way[0] ?? '')
    const short = keys.resolvable.find((key) => named.some((name) => !key.has(name)))
    if (short === undefined) return
    const missing = named.filter((name) => !short.has(name)).join(', ')
    mistakes.in(
      type.astNode,
      `What loads ${type.name} needs "${missing}", which the key "${[...short].join(' ')}" has not: say resolvable: false of that key.`,
    )
    return
  }
  for (const field of Object.values(type.getFields())) {
    if (keys.given.has(field.name) || keys.external.has(field.name)) continue
    const resolver = service.resolvers.get(`${type.name}.${field.name}`)
    const missing = resolver?.named.find(
      ({ kind, required, way }) => kind !== 'args' && required && !keys.given.has(way[0] ?? ''),
    )
    if (resolver !== undefined && missing === undefined) continue
    const why =
      missing === undefined
        ? 'nothing fills it'
        : `its resolver needs "${missing.way.join('.')}", which no key has`
    mistakes.in(
      field.astNode,
      `The entity ${type.name} is loaded by nothing, and ${type.name}.${field.name} is asked for by its key (${why}): add "${type.name}" to resolvers, or say resolvable: false of the key.`,
    )
  }
}

function checkEnums({ schema }: CompiledService, { enums }: ServiceOptions, mistakes: MistakeList): void {
  for (const [name, spellings] of Object.entries(enums)) {
    const type = schema.getType(name)
    if (!isEnumType(type)) {
      mistakes.at(['enums', name], `the schema has no enum "${name}"`)
      continue
    }
    const values = type.getValues().map((value) => value.name)
    for (const value of Object.keys(spellings))
      if (!values.includes(value))
        mistakes.at(['enums', name, value], `${name} has no value "${value}"${list('it has', values)}`)
  }
}
