import {
  type FieldNode,
  type GraphQLFieldResolver,
  GraphQLIncludeDirective,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  GraphQLSkipDirective,
  type GraphQLTypeResolver,
  getDirectiveValues,
  getNamedType,
  isAbstractType,
  isLeafType,
  isObjectType,
  Kind,
  type SelectionNode,
} from 'graphql'
import { isRecord } from '../../../../core/is-record.ts'
import { isJsonObject, scalarText, valueAt } from '../../../../core/json-value.ts'
import type { CompiledResolver, CompiledService } from './compiled-service.ts'
import { Entity, isObject } from './entity.ts'
import { originSlot } from './resolver-place.ts'
import type { ServiceRun } from './service-run.ts'

type Args = Readonly<Record<string, unknown>>
type Resolve = GraphQLFieldResolver<unknown, ServiceRun, Args>

/** How fields without a resolver of their own are read, and what objects of abstract types are. */
export interface DefaultResolvers {
  readonly fieldResolver: Resolve
  readonly typeResolver: GraphQLTypeResolver<unknown, ServiceRun>
}

/**
 * Gives the fields of a service's schema their resolvers. `absent`: values of a service's enums that mean nothing, by the schema's name of
 * the enum: they are null.
 */
export function fillFields(service: CompiledService, absent: ReadonlyMap<string, string>): DefaultResolvers {
  const { schema, resolvers, entities } = service
  const read = (value: unknown, type: GraphQLOutputType): unknown => {
    const named = getNamedType(type)
    return isLeafType(named) ? leaf(value, named.name, absent.get(named.name)) : value
  }

  const complete = (entity: Entity, run: ServiceRun, info: GraphQLResolveInfo): unknown => {
    const loader = resolvers.get(entity.typeName)
    if (loader?.call === undefined || !needsMore(entity, info, resolvers)) return entity
    if (loader.lacks(entity)) return null
    return run
      .load(loader.call, noArgs, entity)
      .then((loaded) => (loaded === null ? null : new Entity(entity.typeName, entity.known, loaded)))
  }

  const objectOf = (made: unknown, run: ServiceRun, info: GraphQLResolveInfo): unknown => {
    if (Array.isArray(made)) return made.map((item) => objectOf(item, run, info))
    if (!isJsonObject(made)) return made
    const type = getNamedType(info.returnType)
    const name = isObjectType(type) ? type.name : String(made.__typename)
    return entities.has(name) ? complete(new Entity(name, made), run, info) : made
  }

  const resolveWith = ({ call, value, lacks }: CompiledResolver, isRoot: boolean): Resolve => {
    if (call !== undefined) {
      if (isRoot) return (_root, args, run) => run.load(call, args)
      return (object, args, run, info) => {
        const known = knownOf(object, info.fieldName)
        if (known !== undefined) return known
        return lacks(object) ? null : run.load(call, args, object)
      }
    }
    return (object, args, run, info) => {
      const known = knownOf(object, info.fieldName)
      if (known !== undefined) return read(known, info.returnType)
      if (lacks(object)) return null
      const { x } = run.context
      x.set(originSlot, { args, objects: [object] })
      return objectOf(read(value?.(x), info.returnType), run, info)
    }
  }

  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type)) continue
    type.isTypeOf = isObject
    const isRoot = type === schema.getQueryType() || type === schema.getMutationType()
    for (const field of Object.values(type.getFields())) {
      const compiled = resolvers.get(`${type.name}.${field.name}`)
      if (compiled !== undefined) field.resolve = resolveWith(compiled, isRoot)
    }
  }
  const query = schema.getQueryType()?.getFields()._entities
  if (query !== undefined)
    query.resolve = (_root, { representations }, run: ServiceRun, info) =>
      (representations as readonly unknown[]).map((one) => complete(entityOf(one, entities), run, info))

  return {
    fieldResolver: (object, _args, _run, { fieldName, returnType }) =>
      read(
        knownOf(object, fieldName) ?? valueAt(object instanceof Entity ? object.loaded : object, [fieldName]),
        returnType,
      ),
    typeResolver: (object, run, _info, { name }) => {
      if (object instanceof Entity) return object.typeName
      const told = resolvers.get(`${name}.__typename`)?.value
      if (told !== undefined) run.context.x.set(originSlot, { args: noArgs, objects: [object] })
      const type = told === undefined ? valueAt(object, ['__typename']) : told(run.context.x)
      return typeof type === 'string' ? type : undefined
    },
  }
}

const noArgs: Args = {}

function entityOf(representation: unknown, entities: CompiledService['entities']): Entity {
  const typeName = isRecord(representation) ? representation.__typename : undefined
  if (!isRecord(representation) || typeof typeName !== 'string' || !entities.has(typeName))
    throw new Error('A representation names no entity of this subgraph.')
  return new Entity(typeName, representation)
}

function knownOf(object: unknown, field: string): unknown {
  return object instanceof Entity && Object.hasOwn(object.known, field) ? object.known[field] : undefined
}

/** Whether a field is selected that what is known of an entity does not fill. */
function needsMore(
  entity: Entity,
  info: GraphQLResolveInfo,
  resolvers: CompiledService['resolvers'],
): boolean {
  const visit = (node: SelectionNode): boolean => {
    if (!isIncluded(node, info)) return false
    if (node.kind === Kind.FIELD) return needsField(node)
    const fragment = node.kind === Kind.INLINE_FRAGMENT ? node : info.fragments[node.name.value]
    const type = fragment?.typeCondition && info.schema.getType(fragment.typeCondition.name.value)
    if (fragment === undefined || (type && !isAbstractType(type) && type.name !== entity.typeName))
      return false
    return fragment.selectionSet.selections.some(visit)
  }
  const needsField = ({ name: { value: field } }: FieldNode): boolean => {
    if (field === '__typename' || Object.hasOwn(entity.known, field)) return false
    const resolver = resolvers.get(`${entity.typeName}.${field}`)
    return resolver === undefined || resolver.lacks(entity)
  }
  return info.fieldNodes.some(({ selectionSet }) => selectionSet?.selections.some(visit) === true)
}

function isIncluded(node: SelectionNode, { variableValues }: GraphQLResolveInfo): boolean {
  if (getDirectiveValues(GraphQLSkipDirective, node, variableValues)?.if === true) return false
  return getDirectiveValues(GraphQLIncludeDirective, node, variableValues)?.if !== false
}

/** A scalar or enum as graphql-js takes it: numbers that keep their digits are texts but for numeric types. */
function leaf(value: unknown, typeName: string, absent: string | undefined): unknown {
  if (Array.isArray(value)) return value.map((item) => leaf(item, typeName, absent))
  if (absent !== undefined && value === absent) return null
  if (!isRecord(value) || isJsonObject(value)) return value
  if (typeName === 'Int' || typeName === 'Float') return Number(scalarText(value))
  return typeName === 'ID' || typeName === 'String' ? scalarText(value) : value
}
