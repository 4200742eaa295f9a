import type { ReflectMessage } from '@bufbuild/protobuf/reflect'
import { GatewayError, type Violation } from '../../core/error.ts'
import type { Binding, TextField } from './binding.ts'
import { setField } from './set-field.ts'

/** What query parameters are read for. */
export interface QueryOptions {
  readonly binding: Binding
  /** Where to put what is wrong. */
  readonly violations: Violation[]
  /** Whether parameters that name no field are passed over. */
  readonly ignoreUnknown: boolean
}

/** Sets the fields that a query names. Throws MALFORMED_REQUEST for escapes that are no UTF-8. */
export function setQueryFields(message: ReflectMessage, query: string, options: QueryOptions): void {
  const { binding, violations, ignoreUnknown } = options
  const fields = new Map<string, { readonly field: TextField; readonly values: string[] }>()
  for (const pair of query.split('&')) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const name = decode(equals === -1 ? pair : pair.slice(0, equals))
    const value = equals === -1 ? '' : decode(pair.slice(equals + 1))
    const field = binding.queryField(name)
    if (typeof field === 'string') {
      if (field !== 'unknown' || !ignoreUnknown) violations.push({ field: name, detail: refusals[field] })
      continue
    }
    const entry = fields.get(field.path.name)
    if (entry === undefined) fields.set(field.path.name, { field, values: [value] })
    else entry.values.push(value)
  }
  for (const { field, values } of fields.values())
    setField(message, field, { values, violations, replace: false })
}

const refusals = {
  unknown: 'there is no such field',
  bound: 'is set by the path or the body, not by a parameter',
  unreadable: 'cannot be set by a parameter: it is a map or a message',
} as const

/** Form decoding (`+` is a blank), as clients write queries. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch (cause) {
    throw new GatewayError('MALFORMED_REQUEST', 'The query has an escape that is not UTF-8.', { cause })
  }
}
