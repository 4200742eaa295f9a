import {
  type GraphQLAbstractType,
  type GraphQLCompositeType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNullableType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isUnionType,
  SchemaMetaFieldDef,
  type SelectionSetNode,
  TypeMetaFieldDef,
} from 'graphql'
import { collectFields, type Selecting } from './collect-fields.ts'
import { compileLeafField, compileLeafValue } from './compile-leaf-field.ts'
import { type DataObject, isObject, own } from './data-object.ts'
import { cannotBeNull, type Place, tell, type Write } from './writing.ts'

/** What a projection is compiled from. */
export interface Projecting extends Selecting {
  readonly responseKeys: ReadonlyMap<string, string>
}

/**
 * Compiles how data becomes the answer to selections of an object type (GraphQL specification section 6.4). Types below are compiled when
 * data has them. Of an interface or a union: of objects that do not say what they are; undefined where that must be known.
 */
export function compileObject(
  sets: readonly SelectionSetNode[],
  type: GraphQLObjectType,
  projecting: Projecting,
): Write
export function compileObject(
  sets: readonly SelectionSetNode[],
  type: GraphQLCompositeType,
  projecting: Projecting,
): Write | undefined
export function compileObject(
  sets: readonly SelectionSetNode[],
  type: GraphQLCompositeType,
  projecting: Projecting,
): Write | undefined {
  const members = compileMembers(sets, type, projecting)
  if (members === undefined) return undefined
  return (value, to) => {
    const object = value as DataObject
    let text = '{'
    for (let i = 0; i < members.length; i++) {
      const { key, name, write } = members[i] as Member
      text += name
      if (write === undefined) continue
      const written = write(own(object, key), to)
      if (written === undefined) return undefined
      text += written
    }
    return `${text}}`
  }
}

/** A member of an object of the answer. */
interface Member {
  /** In the data. */
  readonly key: string
  /** `"title":`, behind a comma where it is not the first; with its value where that is always the same. */
  readonly name: string
  readonly write: Write | undefined
}

function compileMembers(
  sets: readonly SelectionSetNode[],
  type: GraphQLCompositeType,
  projecting: Projecting,
): Member[] | undefined {
  const fields = collectFields(sets, type, projecting)
  if (fields === undefined) return undefined
  return [...fields].flatMap(([key, nodes], index) => {
    const field = nodes[0]?.name.value ?? ''
    const clientKey = projecting.responseKeys.get(key) ?? key
    const name = `${index === 0 ? '' : ','}${JSON.stringify(clientKey)}:`
    if (field === '__typename') return { key, name: `${name}"${type.name}"`, write: undefined }
    if (type === projecting.schema.getQueryType() && introspective.has(field))
      return { key, name, write: (_, to) => to.introspect(nodes) }
    const definition = isUnionType(type) ? undefined : type.getFields()[field]
    // The operation is valid: this is a type that another schema has.
    if (definition === undefined) return { key, name: `${name}null`, write: undefined }
    const place: Place = { field: `${type.name}.${field}`, key: clientKey }
    const nested = nodes.flatMap(({ selectionSet }) => selectionSet ?? [])
    return { key, name, write: compileField(definition.type, { place, nested, projecting }) }
  })
}

const introspective = new Set([SchemaMetaFieldDef.name, TypeMetaFieldDef.name])

interface Compiling {
  readonly place: Place
  readonly nested: readonly SelectionSetNode[]
  readonly projecting: Projecting
}

function compileField(type: GraphQLOutputType, compiling: Compiling): Write {
  const { key } = compiling.place
  const nullable = getNullableType(type)
  if (isLeafType(nullable)) return compileLeafField(nullable, isNonNullType(type), compiling.place)
  const write = compileValue(type, compiling)
  return (value, to) => {
    to.path.push(key)
    const written = write(value, to)
    to.path.pop()
    return written
  }
}

function compileValue(type: GraphQLOutputType, compiling: Compiling): Write {
  const write = compileNonNull(getNullableType(type), compiling)
  if (!isNonNullType(type)) {
    // A symbol stands for a null whose error is told.
    return (value, to) =>
      value === null || value === undefined || typeof value === 'symbol'
        ? 'null'
        : (write(value, to) ?? 'null')
  }
  const problem = cannotBeNull(compiling.place.field)
  return (value, to) => {
    if (value !== null && value !== undefined) return typeof value === 'symbol' ? undefined : write(value, to)
    tell(problem, to)
    return undefined
  }
}

function compileNonNull(type: GraphQLOutputType, compiling: Compiling): Write {
  if (isListType(type)) return compileList(type.ofType, compiling)
  if (isLeafType(type)) return compileLeafValue(type, compiling.place)
  if (isObjectType(type)) return compileObjectValue(type, compiling)
  return compileAbstract(type as GraphQLAbstractType, compiling)
}

function compileList(item: GraphQLOutputType, compiling: Compiling): Write {
  const write = compileValue(item, compiling)
  const problem = `What a subgraph answered for the field ${compiling.place.field} is no list.`
  return (value, to) => {
    if (!Array.isArray(value)) {
      tell(problem, to)
      return undefined
    }
    const { path } = to
    const at = path.length
    let text = '['
    for (let i = 0; i < value.length; i++) {
      path[at] = i
      const written = write(value[i], to)
      if (written === undefined) {
        path.length = at
        return undefined
      }
      text += i === 0 ? written : `,${written}`
    }
    path.length = at
    return `${text}]`
  }
}

function compileObjectValue(type: GraphQLObjectType, { place, nested, projecting }: Compiling): Write {
  let write: Write | undefined
  const problem = `What a subgraph answered for the field ${place.field} is no object.`
  return (value, to) => {
    if (!isObject(value)) {
      tell(problem, to)
      return undefined
    }
    write ??= compileObject(nested, type, projecting)
    return write(value, to)
  }
}

function compileAbstract(type: GraphQLAbstractType, { place, nested, projecting }: Compiling): Write {
  const { schema } = projecting
  const concrete = schema.getPossibleTypes(type).map((one) => [one.name, one] as const)
  // An `@interfaceObject` says that it is of the interface, or nothing where nothing depends on it.
  const vague = [undefined, type.name, ...implementing(type, schema)].map((name) => [name, type] as const)
  const possible = new Map<unknown, GraphQLCompositeType>([...concrete, ...vague])
  const writes = new Map<GraphQLCompositeType, Write | undefined>()
  const problem = `What a subgraph answered for the field ${place.field} is of no type that ${type.name} has.`
  return (value, to) => {
    const found = isObject(value) ? possible.get(own(value, '__typename')) : undefined
    if (found !== undefined && !writes.has(found)) writes.set(found, compileObject(nested, found, projecting))
    const write = found === undefined ? undefined : writes.get(found)
    if (write !== undefined) return write(value, to)
    tell(problem, to)
    return undefined
  }
}

function implementing(type: GraphQLAbstractType, schema: GraphQLSchema): string[] {
  return isUnionType(type) ? [] : schema.getImplementations(type).interfaces.map(({ name }) => name)
}
