import { hash } from 'node:crypto'

/** How a secret may stand in a text: as it is, encoded in the usual ways, and any long part of it. */
export function spellings(secret: string): readonly string[] {
  const bytes = Buffer.from(secret)
  const shifted = [1, 2].map((offset) =>
    Buffer.concat([Buffer.alloc(offset, 'x'), bytes])
      .toString('base64')
      .slice(4, -4),
  )
  return [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    bytes.toString('hex'),
    bytes.toString('base64').replace(/=+$/, '').slice(0, -1),
    bytes.toString('base64url').slice(0, -1),
    ...shifted,
    secret.slice(0, Math.max(12, Math.floor(secret.length / 2))),
    secret.slice(-Math.max(12, Math.floor(secret.length / 2))),
  ]
}

/** Those of `secrets` (by name) that `text` tells, in whatever spelling. */
export function toldBy(text: string, secrets: Readonly<Record<string, string>>): string[] {
  return Object.entries(secrets).flatMap(([name, secret]) => {
    const found = spellings(secret).find((spelling) => text.includes(spelling))
    if (found === undefined) return []
    const at = text.indexOf(found)
    return [`${name}: ${text.slice(Math.max(0, at - 80), at + found.length + 20)}`]
  })
}

/** A secret of a kind, the same in each run, that no other text has a part of. */
export function secretOf(kind: string): string {
  return `${kind}.${hash('sha256', `a secret of the kind ${kind}`).slice(0, 40)}`
}
