import { type GraphQLLeafType, isEnumType } from 'graphql'

/** Writes a value that is not null as JSON; undefined: it is no value of the type. */
export type WriteLeaf = (value: unknown) => string | undefined

/** How values of a leaf type are written; what passes is what a GraphQL server passes on (GraphQL specification section 3.5). */
export function compileLeaf(type: GraphQLLeafType): WriteLeaf {
  if (isEnumType(type)) {
    const texts = new Map(type.getValues().map(({ name }) => [name as unknown, `"${name}"`]))
    return (value) => texts.get(value)
  }
  const serialized: WriteLeaf = (value) => {
    try {
      return JSON.stringify(type.serialize(value))
    } catch {
      return undefined
    }
  }
  switch (type.name) {
    case 'ID':
    case 'String':
      return (value) => (typeof value === 'string' ? textOf(value) : serialized(value))
    case 'Int':
      return (value) => (typeof value === 'number' && (value | 0) === value ? `${value}` : serialized(value))
    case 'Float':
      return (value) => (typeof value === 'number' && Number.isFinite(value) ? `${value}` : serialized(value))
    case 'Boolean':
      return (value) => (typeof value === 'boolean' ? `${value}` : serialized(value))
    default:
      return serialized
  }
}

/** Most texts need no escape, and looking costs less than JSON.stringify. */
function textOf(value: string): string {
  return harmless.test(value) ? `"${value}"` : JSON.stringify(value)
}

/** Without what JSON escapes, and surrogates: half of a pair is escaped, too. */
const harmless = /^[ !#-[\]-\ud7ff\ue000-\uffff]*$/
