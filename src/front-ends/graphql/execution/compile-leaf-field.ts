import type { GraphQLLeafType } from 'graphql'
import { compileLeaf } from './compile-leaf.ts'
import { cannotBeNull, type Place, tell, type Write, type Writing } from './writing.ts'

/** Most fields are leaves: where nothing is wrong with them, nobody needs to know where they are. */
export function compileLeafField(type: GraphQLLeafType, isRequired: boolean, { field, key }: Place): Write {
  const write = compileLeaf(type)
  const missing = cannotBeNull(field)
  const problem = isNo(type, field)
  const tellHere = (message: string, to: Writing): void => {
    to.path.push(key)
    tell(message, to)
    to.path.pop()
  }
  return (value, to) => {
    if (value === null || value === undefined || typeof value === 'symbol') {
      if (!isRequired) return 'null'
      if (typeof value !== 'symbol') tellHere(missing, to)
      return undefined
    }
    const written = write(value)
    if (written !== undefined) return written
    tellHere(problem, to)
    return isRequired ? undefined : 'null'
  }
}

/** An item of a list. */
export function compileLeafValue(type: GraphQLLeafType, { field }: Place): Write {
  const write = compileLeaf(type)
  const problem = isNo(type, field)
  return (value, to) => {
    const written = write(value)
    if (written === undefined) tell(problem, to)
    return written
  }
}

function isNo(type: GraphQLLeafType, field: string): string {
  return `What a subgraph answered for the field ${field} is no ${type.name}.`
}
