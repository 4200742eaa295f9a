import { z } from 'zod'
import { GatewayError } from '../core/error.ts'
import { noTime, time } from '../core/units.ts'
import type { Revocable } from '../plugins/identity/revocable.ts'
import type { Revocations } from '../plugins/identity/revocations.ts'
import { readFields } from './read-fields.ts'

const text = z.string().min(1).max(1_024)
const common = { expiresAt: time().optional(), note: z.string().max(200).optional() }
const person = {
  ...common,
  before: time().optional(),
  until: z
    .union([time(), z.literal('forever').transform(() => Number.POSITIVE_INFINITY)], `${noTime}, or forever`)
    .optional(),
}
const token = z.string().min(1).max(16_384)

const what = {
  token: z.strictObject({ token, ...common }),
  digest: z.strictObject({ digest: text, ...common }),
  jti: z.strictObject({ jti: text, issuer: text, ...common }),
  sid: z.strictObject({ sid: text, issuer: text, ...common }),
  key: z.strictObject({ key: text, ...common }),
  certificate: z.strictObject({
    certificate: z.string().regex(/^[0-9a-f]{64}$/, 'has 64 lower-case hexadecimal digits'),
    ...common,
  }),
  sub: z.strictObject({ sub: text, issuer: text, ...person }),
  consumer: z.strictObject({ consumer: text, ...person }),
}

/** All of them in one, as it is sent; which one it is, {@link readRevocable} says. */
export const revocableShape = z.strictObject({
  token: z.string().optional().describe('A token itself.'),
  digest: z.string().optional().describe('The SHA-256 of a token, base64url.'),
  jti: z.string().optional().describe('The id of a token.'),
  sid: z.string().optional().describe('A session.'),
  key: z.string().optional().describe('The id of an API key.'),
  certificate: z.string().optional().describe('The SHA-256 of a client certificate, hexadecimal.'),
  sub: z.string().optional().describe('A user.'),
  consumer: z.string().optional().describe('A consumer, with all of its keys and tokens.'),
  issuer: z.string().optional().describe('Who made the token. Default: the one issuer that is configured.'),
  expiresAt: z.string().optional().describe('When it may be forgotten. Default: when the token ends.'),
  before: z.string().optional().describe('Of a user or consumer: what was made before. Default: now.'),
  until: z
    .string()
    .optional()
    .describe('Of a user or consumer: nothing is accepted until then, or `forever`.'),
  note: z.string().optional(),
})

/** What somebody wants to have revoked, and how. */
export interface NamedRevocable {
  readonly named: Revocable
  readonly terms: Parameters<Revocations['revoke']>[1]
  /** For the audit log. */
  readonly id: string
}

/** Which of them it is says the one member that names it. `known`: the issuers that are configured. Throws INVALID_ARGUMENT. */
export function readRevocable(
  given: z.output<typeof revocableShape>,
  known: readonly string[],
): NamedRevocable {
  const kinds = Object.keys(what).filter((kind) => Object.hasOwn(given, kind)) as (keyof typeof what)[]
  const [kind] = kinds
  if (kind === undefined || kinds.length > 1) {
    const text = `Name one of ${Object.keys(what).join(', ')}.`
    throw new GatewayError('INVALID_ARGUMENT', text)
  }
  // Where there is one issuer only, nobody else can be meant.
  const needsIssuer = 'issuer' in what[kind].shape && given.issuer === undefined && known.length === 1
  const fields: object = readFields(what[kind], needsIssuer ? { ...given, issuer: known[0] } : given)
  const { expiresAt, before, until, note, ...named } = fields as Record<string, never>
  const ends = expiresAt ?? (kind === 'token' ? expiryOf(String(given.token)) : undefined)
  const id = kind === 'token' ? 'token' : `${kind}/${String(given[kind])}`
  return { named: named as unknown as Revocable, terms: { expiresAt: ends, before, until, note }, id }
}

/** What a JSON Web Token says of its end; undefined for one that does not, or cannot be read. Whether it is genuine does not matter here. */
function expiryOf(jws: string): number | undefined {
  const [, payload = '', ...rest] = jws.split('.')
  if (rest.length !== 1) return undefined
  try {
    const { exp } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { exp?: unknown }
    return typeof exp === 'number' ? exp * 1_000 : undefined
  } catch {
    return undefined
  }
}
