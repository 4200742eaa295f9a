/** A configuration for people to read: secrets, key hashes and passwords in URLs as `***`. */
export function maskSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(maskSecrets)
  if (typeof value === 'string') return value.replace(/^(\w+:\/\/[^/@]*:)[^/@]+@/, '$1***@')
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [
      key,
      secretKeys.has(key) && typeof child === 'string' ? '***' : maskSecrets(child),
    ]),
  )
}

const secretKeys = new Set(['secret', 'hash', 'password', 'token'])
