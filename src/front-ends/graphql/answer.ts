import type { Exchange } from '../../core/exchange.ts'
import { identifiedErrors } from './errors.ts'
import type { OperationResult } from './operation.ts'

/** A result as the body of an answer (GraphQL specification section 7.1). */
export function answerText(x: Exchange, { data, errors, extensions }: OperationResult): string {
  const members: string[] = []
  if (errors.length > 0) members.push(`"errors":${JSON.stringify(identifiedErrors(x, errors))}`)
  if (data !== undefined) members.push(`"data":${data}`)
  if (extensions !== undefined) members.push(`"extensions":${JSON.stringify(extensions)}`)
  return `{${members.join(',')}}`
}

/** Whether nothing of what was asked for is in the data. */
export function isNothing({ data }: OperationResult): boolean {
  if (data === undefined || data === 'null') return true
  // `{"a":null,"b":null}`: no value that is not null begins like one.
  return data.length < 10_000 && Object.values(JSON.parse(data)).every((value) => value === null)
}
