import { isRecord } from '../core/is-record.ts'

/** A configuration for people to read: secrets, key hashes and passwords in URLs as `***`. */
export function maskSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(maskSecrets)
  if (typeof value === 'string')
    return value.includes('PRIVATE KEY-----') ? '***' : value.replace(password, '$1***@')
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [
      key,
      secretKey.test(key) && typeof child === 'string' ? '***' : maskSecrets(maskCollector(key, child)),
    ]),
  )
}

/** Collectors of traces have names of their own for the headers with their keys: the values of all are masked. */
function maskCollector(key: string, value: unknown): unknown {
  if (key !== 'otlp' || !isRecord(value) || !isRecord(value.headers)) return value
  return { ...value, headers: Object.fromEntries(Object.keys(value.headers).map((name) => [name, '***'])) }
}

/** Also in the options of plugins that are not ours. */
const secretKey = /(?:secret|hash|password|token|apikey|privatekey|authorization|cookie|-key)$/i
/** RFC 3986 section 3.2.1; the last `@` of the authority ends it, whatever the password holds. */
const password = /^(\w[\w+.-]*:\/\/[^/?#@:]*:)[^/?#]*@/
