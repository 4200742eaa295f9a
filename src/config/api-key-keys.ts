import { z } from 'zod'
import { duration, noTime } from '../core/units.ts'
import { certificateKeys } from './certificate-keys.ts'
import { name, object } from './declare.ts'

/** RFC 9110 section 5.6.2; also the names of cookies. */
const token = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/, 'expected a name: letters, digits, "-"')

/** `auth.apiKeys`. */
export const apiKeyKeys = object({
  header: token
    .toLowerCase()
    .refine((text) => text !== 'authorization' && text !== 'cookie', 'is read by itself: name another header')
    .default('x-api-key')
    .describe('Header with the key. `Authorization: ApiKey <key>` does as well.'),
  query: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,64}$/, 'expected letters, digits, ".", "_" and "-"')
    .optional()
    .describe(
      'Parameter of the query with the key, for clients that can send no headers; absent: none. URLs are kept in histories and in logs of others: give such keys little to do.',
    ),
  cookie: token.optional().describe('Cookie with the key; absent: none.'),
  allowedOrigins: z
    .array(z.url())
    .default([])
    .describe(
      "Origins besides the gateway's own whose pages may change something with the key in the cookie.",
    ),
})
  .refine(({ cookie, allowedOrigins }) => cookie !== undefined || allowedOrigins.length === 0, {
    path: ['allowedOrigins'],
    message: 'is for keys in a cookie: name the cookie',
  })
  .describe('Where requests carry the API keys of consumers.')

/** `auth.failures`. */
export const failureKeys = object({
  limit: z.int().min(0).default(100).describe('Failures of one address in a window; 0: any number.'),
  window: duration()
    .prefault('1m')
    .refine((ms) => ms >= 1_000, 'at least 1s')
    .describe('From the first failure on.'),
}).describe(
  'Keys and tokens that are not valid, by client address (IPv6: its /64). More of them are answered 429, and keys that were made elsewhere are not looked at; what is valid passes.',
)

const rateLimit = z.strictObject({
  limit: z.int().min(1).describe('Requests per window.'),
  window: duration()
    .refine((ms) => ms >= 1, 'must be at least 1ms')
    .describe('The time that the limit is for; it is earned anew evenly.'),
})

/** One entry of `consumers`. */
export const consumerSchema = z.strictObject({
  id: name('a consumer').describe('Unique.'),
  name: z.string().optional().describe('Display name.'),
  roles: z.array(z.string()).default([]).describe('Checked by authorize.roles.'),
  scopes: z.array(z.string()).default([]).describe('Checked by authorize.scopes.'),
  rateLimit: rateLimit
    .optional()
    .describe('For all requests of the consumer together, on every door; absent: none.'),
  keys: z
    .array(
      z.strictObject({
        id: name('a key')
          .optional()
          .describe('Names it in lists and revocations; by default made of the hash.'),
        hash: z
          .string()
          .regex(
            /^sha256:[0-9a-f]{64}$/,
            'expected sha256: and 64 hexadecimal digits; `gateway keys create --offline` prints one',
          )
          .describe('sha256:<hex> of the whole key; `gateway keys create --offline` makes both.'),
        name: z.string().optional().describe('To tell keys apart.'),
        prefix: z.string().max(32).optional().describe('How the key begins, to find out whose one is.'),
        expiresAt: z.iso.datetime(noTime).optional().describe('Not accepted after this moment.'),
        roles: z
          .array(z.string())
          .optional()
          .describe('Those of the consumer that the key has; absent: all.'),
        scopes: z
          .array(z.string())
          .optional()
          .describe('Those of the consumer that the key has; absent: all.'),
        rateLimit: rateLimit.optional().describe('For this key alone, on every door; absent: none.'),
      }),
    )
    .default([])
    .describe('Only hashes are kept here. More keys can be made while the gateway runs (`gateway keys`).'),
  certificates: certificateKeys,
})
