/** An object of the data: what `JSON.parse` made, so that any name may be a key of it, `__proto__` too. */
export type DataObject = Record<string, unknown>

/** The value under a key; undefined when the object has none of its own (JSON has no functions: those are inherited). */
export function own(object: DataObject, key: string): unknown {
  const value = object[key]
  return typeof value === 'function' || value === Object.prototype ? undefined : value
}

/** Sets a key of the object itself. */
export function put(object: DataObject, key: string, value: unknown): void {
  if (key !== '__proto__') object[key] = value
  else Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
}

/** Whether it is an object with keys: no list, not null. */
export function isObject(value: unknown): value is DataObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
