/** A configuration for people to read: secrets, key hashes and passwords in URLs as `***`. */
export function maskSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(maskSecrets)
  if (typeof value === 'string') return maskedText(value)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [
      key,
      isSecretKey(key) && typeof child === 'string' ? '***' : maskSecrets(child),
    ]),
  )
}

/** Whether the value of a key is a secret by its name; also in the options of plugins that are not ours. */
export function isSecretKey(key: string): boolean {
  return secretKey.test(key)
}

/** A text with the secrets masked that show by themselves: private keys, passwords in URLs. */
export function maskedText(text: string): string {
  return text.includes('PRIVATE KEY-----') ? '***' : text.replace(password, '$1***@')
}

const secretKey = /(?:secret|hash|password|token|apikey|privatekey|authorization|cookie|-key)$/i
/** RFC 3986 section 3.2.1; the last `@` of the authority ends it, whatever the password holds. */
const password = /^(\w[\w+.-]*:\/\/[^/?#@:]*:)[^/?#]*@/
