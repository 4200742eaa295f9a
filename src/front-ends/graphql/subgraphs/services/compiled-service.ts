import {
  type GraphQLNamedType,
  type GraphQLSchema,
  isListType,
  isNonNullType,
  isObjectType,
  parse,
} from 'graphql'
import { compileJson, type JsonTemplate } from '../../../../core/json-template.ts'
import { messageOf } from '../../../../core/message-of.ts'
import { Mistake } from '../../../../core/mistake.ts'
import type { ErrorPolicy } from '../subgraph-errors.ts'
import { noRenames, type Renames } from './entity.ts'
import { type EntityKeys, entityKeys } from './entity-keys.ts'
import { type NamedValue, namedValues } from './named-values.ts'
import type { ResolverOptions } from './resolver.ts'
import { ResolverPlace } from './resolver-place.ts'
import { lacksValue, ServiceCall } from './service-call.ts'
import type { MistakeList } from './service-mistakes.ts'
import { type EnumSpellings, serviceSchema } from './service-schema.ts'

/** A service as a subgraph, as it is configured. */
export interface ServiceOptions {
  readonly name: string
  readonly sdl: string
  readonly resolvers: readonly ResolverOptions[]
  readonly enums: EnumSpellings
  /** What clients see of what the backend refuses. */
  readonly errors: ErrorPolicy
  /** Lower-case names of headers with credentials, which texts may not name. */
  readonly credentialHeaders: ReadonlySet<string>
}

/** A service's schema, and what fills it. */
export interface CompiledService {
  readonly schema: GraphQLSchema
  readonly entities: ReadonlyMap<string, EntityKeys>
  /** By `Query.book`, and of entities by `Book`. */
  readonly resolvers: ReadonlyMap<string, CompiledResolver>
}

/** One resolver, compiled. */
export interface CompiledResolver {
  readonly options: ResolverOptions
  readonly named: readonly NamedValue[]
  /** Whether an object lacks a value that nothing stands in for, so that the field is null. */
  lacks(object: unknown): boolean
  /** How it is called; undefined: it is a value. */
  readonly call: ServiceCall | undefined
  readonly value: JsonTemplate | undefined
}

/** Compiles what can be; mistakes are collected. Throws a GraphQLError for SDL that cannot be read. */
export function compileService(options: ServiceOptions, mistakes: MistakeList): CompiledService {
  const schema = serviceSchema(options.sdl, options.enums)
  const entities = entityKeys(parse(options.sdl))
  const resolvers = new Map<string, CompiledResolver>()
  for (const one of options.resolvers) {
    const place = placeOf(one.name, { schema, entities })
    if (typeof place === 'string') {
      mistakes.at(['resolvers', one.name], place)
      continue
    }
    try {
      const renames = one.call === undefined ? noRenames : renamesOf(one.name, options.resolvers)
      const { credentialHeaders } = options
      resolvers.set(one.name, compileResolver(one, { ...place, renames, credentialHeaders }))
    } catch (error) {
      const below = error instanceof Mistake ? error.path : []
      mistakes.at(['resolvers', one.name, ...below], messageOf(error))
    }
  }
  return { schema, entities, resolvers }
}

/** What the values of a type say that are one member under another name. */
function renamesOf(name: string, resolvers: readonly ResolverOptions[]): Renames {
  const [typeName] = name.split('.')
  return new Map(
    resolvers.flatMap((one) => {
      const [type, field] = one.name.split('.')
      if (type !== typeName || field === undefined || one.call !== undefined) return []
      const way =
        typeof one.written === 'string' ? /^\$\{this\.([^}:]+)\}$/.exec(one.written)?.[1] : undefined
      return way === undefined ? [] : [[field, way.split('.')] as const]
    }),
  )
}

interface ResolverSite {
  readonly args: readonly string[]
  readonly hasObject: boolean
  readonly isMutation: boolean
  readonly isList: boolean
}

/** What a resolver is for; a text says why it is for nothing. */
function placeOf(
  name: string,
  { schema, entities }: Omit<CompiledService, 'resolvers'>,
): ResolverSite | string {
  const [typeName = '', fieldName] = name.split('.')
  const type = schema.getType(typeName)
  if (fieldName === undefined) {
    if (entities.has(typeName)) return { args: [], hasObject: true, isMutation: false, isList: false }
    return `the schema has no entity "${typeName}"${list('it has', [...entities.keys()])}`
  }
  if (type === undefined || type.name.startsWith('_')) return `the schema has no type "${typeName}"`
  if (!('getFields' in type) && fieldName !== '__typename') return `"${typeName}" has no fields`
  if (fieldName === '__typename') {
    if (isObjectType(type))
      return `what "${typeName}" is stands fast; __typename is for interfaces and unions`
    return { args: [], hasObject: true, isMutation: false, isList: false }
  }
  const field = fieldOf(type, fieldName)
  if (field === undefined || !isObjectType(type))
    return isObjectType(type)
      ? `${typeName} has no field "${fieldName}"${list('it has', Object.keys(type.getFields()))}`
      : `"${typeName}" is no object type: name the types that have the field`
  const isMutation = type === schema.getMutationType()
  return {
    args: field.args.map((arg) => arg.name),
    hasObject: type !== schema.getQueryType() && !isMutation,
    isMutation,
    isList: isListType(isNonNullType(field.type) ? field.type.ofType : field.type),
  }
}

function fieldOf(type: GraphQLNamedType, name: string) {
  return isObjectType(type) ? type.getFields()[name] : undefined
}

function compileResolver(
  options: ResolverOptions,
  site: ResolverSite & { readonly renames: Renames; readonly credentialHeaders: ReadonlySet<string> },
): CompiledResolver {
  const { name, written, call } = options
  const { credentialHeaders, args, hasObject, isMutation, isList, renames } = site
  const place = new ResolverPlace(credentialHeaders, { name, args, hasObject, renames })
  const named = namedValues(written)
  const lacks = (object: unknown): boolean => lacksValue(named, object, renames)
  const isBatch = named.some(({ kind }) => kind === 'batch')
  if (call === undefined) {
    if (isBatch) throw new Mistake(['value'], 'a value is of one object: write this instead of batch')
    try {
      return { options, named, lacks, call: undefined, value: compileJson(written, place) }
    } catch (error) {
      throw new Mistake(['value'], messageOf(error), { cause: error })
    }
  }
  for (const key of ['match', 'batchSize'] as const)
    if (!isBatch && call[key] !== undefined)
      throw new Mistake([key], 'is for calls that name values of batch: this one is for one object')
  if (name.endsWith('.__typename')) throw new Mistake([call.kind], 'a type is told by a value')
  // What queries ask for changes nothing, whichever method it takes.
  const send = call.prepare(place, isMutation ? undefined : true)
  const compiled = new ServiceCall(options, call, { send, isShared: !isMutation, isList, renames })
  return { options, named, lacks, call: compiled, value: undefined }
}

/** ` (it has: id, title)`; nothing when there are none. */
export function list(what: string, names: readonly string[]): string {
  return names.length === 0 ? '' : ` (${what}: ${names.filter((name) => !name.startsWith('_')).join(', ')})`
}
