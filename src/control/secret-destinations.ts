import { maskSecrets } from '../config/mask.ts'
import { isRecord } from '../core/is-record.ts'

/** Whether a secret of one document stands in another beside a URL that it did not stand beside: whoever changes an address could read it there. */
export function sendsSecretElsewhere(before: unknown, after: unknown): boolean {
  const known = destinations(before)
  return destinations(after)
    .entries()
    .some(([secret, urls]) => {
      const old = known.get(secret)
      return old !== undefined && !urls.isSubsetOf(old)
    })
}

/** The URLs that stand in the objects around each secret, by the secret as it is written. */
function destinations(document: unknown): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>()
  const look = (value: unknown, path: readonly string[], urls: readonly string[]): void => {
    if (Array.isArray(value)) for (const item of value) look(item, path, urls)
    else if (isRecord(value)) {
      const around = [...urls, ...Object.values(value).flat().filter(isUrl)]
      for (const [key, member] of Object.entries(value)) look(member, [...path, key], around)
    } else if (typeof value === 'string' && maskSecrets(value, { path }) === '***') {
      const there = found.get(value) ?? new Set<string>()
      for (const url of urls) there.add(url)
      found.set(value, there)
    }
  }
  look(document, [], [])
  return found
}

function isUrl(value: unknown): value is string {
  return typeof value === 'string' && value.includes('://')
}
