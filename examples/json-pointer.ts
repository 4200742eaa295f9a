/** The value at a JSON Pointer (RFC 6901, without its `~` escapes), or `undefined` where there is none. */
export function valueAt(document: unknown, pointer: string): unknown {
  return pointer.split('/').slice(1).reduce(memberOf, document)
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
