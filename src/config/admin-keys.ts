import { z } from 'zod'
import { duration } from '../core/units.ts'
import { name, object } from './declare.ts'

/** What a token of the admin API may do: look, change what the gateway does, make and end keys and tokens, move releases. */
export const adminScopes = ['read', 'write', 'keys', 'canary'] as const

/** `admin`. */
export const adminSchema = object({
  path: z
    .string()
    .regex(/^(\/[A-Za-z0-9_-]+)+$/, 'expected a path such as /admin')
    .default('/admin')
    .describe('Where the admin API is.'),
  listen: z
    .string()
    .regex(/^(([^\s/:]+|\[[0-9A-Fa-f:.]+\]):\d{1,5})?$/, 'expected host:port, such as 127.0.0.1:9901')
    .default('')
    .describe(
      'host:port of its own, in cleartext; then the other ports do not serve it. Port 0 takes a free one. Empty: it is on the other ports.',
    ),
  auditRetention: duration()
    .prefault('365d')
    .describe('How long the audit log keeps what was written; 0s: for ever.'),
  rateLimit: object({
    limit: z
      .int()
      .min(0)
      .default(600)
      .describe('Requests in one window, which may come at once; 0: no limit.'),
    window: duration()
      .refine((ms) => ms >= 1_000, 'at least 1s')
      .prefault('1m')
      .describe('How long it takes until all of them have come back.'),
  }).describe('How often one token may be used from one address (IPv6: from its /64).'),
  allowLinkLocalTargets: z
    .boolean()
    .default(false)
    .describe(
      'Whether the admin API may lead the gateway to link-local addresses and metadata services, where machines of a cloud keep their credentials.',
    ),
  tokens: z
    .array(
      z.strictObject({
        name: name('a token').describe('Who has it, for the log.'),
        hash: z
          .string()
          .regex(
            /^sha256:[0-9a-f]{64}$/,
            'expected sha256: and 64 hexadecimal digits; `gateway admin token` prints one',
          )
          .describe('sha256:<hex> of the token; `gateway admin token` makes both.'),
        scopes: z
          .array(z.enum(adminScopes))
          .min(1)
          .default(['read'])
          .describe(
            'read: looks; keys: makes, rotates and revokes keys, revokes tokens; canary: promotes, pauses, resumes and aborts releases; write: changes all else.',
          ),
      }),
    )
    .default([])
    .describe(
      'Who may use it, by Authorization: Bearer. Without any it answers to clients on this machine only, which may do everything.',
    ),
}).describe('The admin API.')

export type AdminConfig = z.output<typeof adminSchema>
export type AdminScope = (typeof adminScopes)[number]
