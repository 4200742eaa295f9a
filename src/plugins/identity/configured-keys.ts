import { hash } from 'node:crypto'
import type { Consumer } from './consumer.ts'
import type { KeyRecord } from './key-record.ts'

/** The keys that stand in a configuration. Throws an Error that names the place when one cannot be read, or two are the same. */
export function configuredKeys(consumers: readonly Consumer[]): KeyRecord[] {
  const ids = new Set<string>()
  const hashes = new Set<string>()
  return consumers.flatMap((consumer) =>
    consumer.keys.map(({ id, expiresAt, ...key }, i): KeyRecord => {
      const place = `consumers "${consumer.id}" keys[${i}]`
      if (!/^sha256:[0-9a-f]{64}$/.test(key.hash)) {
        throw new Error(`${place}.hash: must be "sha256:" and the 64 hexadecimal digits of the key's SHA-256`)
      }
      if (hashes.has(key.hash)) throw new Error(`${place}.hash: another consumer or key has the same hash`)
      hashes.add(key.hash)
      const named = id ?? idOf(key.hash)
      if (ids.has(named)) throw new Error(`${place}.id: "${named}" is the id of another key`)
      ids.add(named)
      const expires = expiresAt === undefined ? undefined : Date.parse(expiresAt)
      if (Number.isNaN(expires)) throw new Error(`${place}.expiresAt: "${expiresAt}" is no ISO 8601 time`)
      for (const kind of ['roles', 'scopes'] as const) {
        const more = key[kind]?.find((one) => !consumer[kind].includes(one))
        if (more !== undefined)
          throw new Error(`${place}.${kind}: "${more}" is not among the ${kind} of the consumer`)
      }
      return { ...key, id: named, consumer: consumer.id, expiresAt: expires }
    }),
  )
}

/** The same over restarts and in whatever order keys stand; it does not lead back to the hash. */
function idOf(keyHash: string): string {
  return `key_${hash('sha256', keyHash).slice(0, 16)}`
}
