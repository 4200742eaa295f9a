import { isRecord } from '../core/is-record.ts'

export interface MaskOptions {
  /** The keys that lead to the value; those of lists are left out. Default: the whole configuration. */
  readonly path?: readonly string[]
  /** Which texts stay although their key says that they are secret. Default: none. */
  readonly keep?: (text: string) => boolean
}

/** A configuration, or a part of it, for people to read: secrets, key hashes and passwords in URLs as `***`. */
export function maskSecrets(value: unknown, { path = [], keep = never }: MaskOptions = {}): unknown {
  if (Array.isArray(value)) return value.map((item) => maskSecrets(item, { path, keep }))
  if (isRecord(value))
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [
        key,
        maskSecrets(member, { path: [...path, key], keep }),
      ]),
    )
  if (typeof value !== 'string' || keep(value)) return value
  return isSecret(path) || value.includes('PRIVATE KEY-----') ? '***' : value.replace(password, '$1***@')
}

/** Collectors of traces have names of their own for the headers with their keys. */
function isSecret(path: readonly string[]): boolean {
  return secretKey.test(path.at(-1) ?? '') || (path.at(-3) === 'otlp' && path.at(-2) === 'headers')
}

const never = (): boolean => false
/** Also in the options of plugins that are not ours. */
const secretKey = /(?:secret|hash|password|token|apikey|privatekey|authorization|cookie|-key)$/i
/** RFC 3986 section 3.2.1; the last `@` of the authority ends it, whatever the password holds. */
const password = /^(\w[\w+.-]*:\/\/[^/?#@:]*:)[^/?#]*@/
