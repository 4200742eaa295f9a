import { z } from 'zod'
import { duration } from '../core/units.ts'
import { object } from './declare.ts'
import type { PluginListSchema } from './policy-keys.ts'

/** What is passed on in headers: short, none of control. */
const word = z
  .string()
  .min(1)
  .max(256)
  .refine((text) => !/\p{Cc}/u.test(text), 'expected no control characters')
/** RFC 6749 section 3.3. */
const scope = z
  .string()
  .regex(/^[!#-[\]-~]{1,256}$/, 'a scope has printable ASCII characters, no blank, no quote')
const path = (of: string, where: string) =>
  z
    .string()
    .regex(/^\/[A-Za-z0-9._~/-]*$/, 'expected a path of letters, digits and ._~-')
    .default(where)
    .describe(of)
const times = (of: string, usual: number) => z.int().min(1).max(1_000_000).default(usual).describe(of)

/** One entry of `auth.issuer.users`, and of a users file. */
export const userSchema = z.strictObject({
  name: word.describe('What is typed in at a login; case does not matter.'),
  id: word.optional().describe('The `sub` of tokens. Default: the name. Never give one to another user.'),
  passwordHash: z
    .string()
    .describe('$scrypt$... or $argon2id$...; `gateway users hash` prints one. Empty: cannot log in.'),
  displayName: word.optional().describe('The claim `name` of tokens.'),
  roles: z.array(word).default([]).describe('Checked by authorize.roles.'),
  scopes: z.array(scope).default([]).describe('Checked by authorize.scopes.'),
  disabled: z.boolean().default(false).describe('Cannot log in or refresh, and tokens are refused.'),
})

/** `auth.issuer`. */
export function issuerSchema(uses: PluginListSchema) {
  return z.strictObject({
    issuer: word.describe('The `iss` of tokens: the address of the gateway, or a name.'),
    audience: word.optional().describe('The `aud` of tokens. Default: the issuer.'),
    accessTokenFor: duration()
      .prefault('30m')
      .refine((ms) => ms >= 60_000 && ms <= 86_400_000, 'between 1m and 24h')
      .describe('How long an access token is good.'),
    refreshTokenFor: duration()
      .prefault('30d')
      .refine((ms) => ms <= 366 * 86_400_000, 'at most 366d')
      .describe('How long a login lasts, however often its tokens are refreshed.'),
    sessionsPerUser: times('Logins of one user at a time; the oldest ends for a new one.', 20),
    algorithm: z.enum(['ES256', 'EdDSA', 'RS256']).default('ES256').describe('What new keys sign by.'),
    keys: object({
      file: z
        .string()
        .default('')
        .describe(
          'Where private keys are kept; made when missing. Empty: in memory, and tokens end with the process.',
        ),
      rotateEvery: duration()
        .prefault('90d')
        .refine((ms) => ms >= 86_400_000, 'at least 24h')
        .describe('How long a key signs. The next one is published an hour before.'),
    }).describe('The keys that tokens are signed with.'),
    users: z.array(userSchema).default([]).describe('Who may log in.'),
    usersFile: z
      .string()
      .min(1)
      .optional()
      .describe('A YAML or JSON file with more users: a list of the same entries.'),
    lockout: object({
      perUserAndAddress: times('Failed logins of one user from one address before the first wait.', 5),
      perAddress: times('Failed logins from one address, of whichever users.', 50),
      perUser: times(
        'Failed logins of one user from whichever addresses; then strangers wait 30s at the most.',
        100,
      ),
      delay: duration()
        .prefault('1s')
        .refine((ms) => ms >= 1, 'more than 0s')
        .describe('The first wait; each failure after it doubles it.'),
      maxDelay: duration().prefault('15m').describe('The longest wait.'),
      forgetAfter: duration().prefault('1h').describe('How long failures are remembered.'),
    }).describe('How guessing is slowed down.'),
    hashing: object({
      atOnce: z
        .int()
        .min(1)
        .max(16)
        .default(2)
        .describe('Passwords checked at a time: each takes up to 256 MiB.'),
      queue: z
        .int()
        .min(0)
        .max(10_000)
        .default(50)
        .describe('Logins that wait; what comes on top is refused (503).'),
      queueTimeout: duration().prefault('10s').describe('How long one waits at the most (503).'),
    }).describe('What logins may take of the gateway.'),
    paths: object({
      login: path('POST {username, password}.', '/auth/login'),
      refresh: path('POST {refresh_token}.', '/auth/refresh'),
      logout: path('POST, with a refresh token or a bearer token.', '/auth/logout'),
      jwks: path('The public keys, for others who check tokens.', '/.well-known/jwks.json'),
    }).describe('Where it is reached.'),
    plugins: uses.default([]).describe('Plugins of login, refresh and logout, e.g. a rateLimit by ip.'),
  })
}

/** The complete configuration of the issuer. */
export type IssuerConfig = z.output<ReturnType<typeof issuerSchema>>
