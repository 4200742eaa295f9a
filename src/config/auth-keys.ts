import { z } from 'zod'
import { duration, size } from '../core/units.ts'
import { authCheckKey } from './auth-check-keys.ts'
import { name, object } from './declare.ts'

/** `auth`. */
export const authKeys = {
  jwt: z
    .array(
      z.strictObject({
        issuer: z.string().min(1).describe('The `iss` that a token must have.'),
        audience: z.string().min(1).describe('What `aud` must contain.'),
        algorithms: z
          .array(
            z.enum([
              'HS256',
              'HS384',
              'HS512',
              'RS256',
              'RS384',
              'RS512',
              'PS256',
              'PS384',
              'PS512',
              'ES256',
              'ES384',
              'ES512',
              'EdDSA',
            ]),
          )
          .min(1)
          .describe('The only ones accepted; never taken from the token.'),
        secret: z
          .string()
          .optional()
          // biome-ignore lint/suspicious/noTemplateCurlyInString: it tells what may stand there
          .describe('For HS algorithms, at least 32 bytes. Use ${ENV} or file://.'),
        jwks: z.string().optional().describe('A JSON Web Key Set; file://jwks.json for a file.'),
        jwksUri: z.url().optional().describe('Where the key set is fetched.'),
        clockSkew: duration()
          .prefault('30s')
          .refine((ms) => ms <= 60_000, 'at most 60s')
          .describe('Tolerance for exp, nbf and iat, at most 60s.'),
        maxAge: duration()
          .optional()
          .describe(
            'Refused so long after its iat, whatever its exp; a token without iat too. No limit if absent.',
          ),
        maxBytes: size()
          .prefault('8kb')
          .refine((bytes) => bytes >= 256 && bytes <= 16_384, 'between 256b and 16kb')
          .describe('Longest token, 16kb at most.'),
        requiredClaims: z
          .array(z.string().min(1))
          .default([])
          .describe('Claims that must be there besides iss, aud, exp and that of the user.'),
        type: z
          .string()
          .min(1)
          .optional()
          .describe('The `typ` that the header must have, e.g. at+jwt (RFC 9068); any if absent.'),
        claims: object({
          user: z.string().default('sub').describe('Claim with the id of the user.'),
          name: z.string().default('name').describe('Claim with the display name.'),
          roles: z.string().default('roles').describe('Claim with the roles: a list or words.'),
          scopes: z.string().default('scope').describe('Claim with the scopes: a list or words.'),
        }).describe('Where a token says what.'),
      }),
    )
    .default([])
    .describe('Issuers of JSON Web Tokens.'),
  apiKeys: object({
    header: z.string().toLowerCase().default('x-api-key').describe('Header with the key.'),
  }).describe('API keys of consumers.'),
  check: authCheckKey,
}

/** One entry of `consumers`. */
export const consumerSchema = z.strictObject({
  id: name('a consumer').describe('Unique.'),
  name: z.string().optional().describe('Display name.'),
  roles: z.array(z.string()).default([]).describe('Checked by authorize.roles.'),
  scopes: z.array(z.string()).default([]).describe('Checked by authorize.scopes.'),
  keys: z
    .array(
      z.strictObject({
        hash: z
          .string()
          .regex(
            /^sha256:[0-9a-f]{64}$/,
            'expected sha256: and 64 hexadecimal digits; `gateway keys create` prints one',
          )
          .describe('sha256:<hex> of the whole key; `gateway keys create` makes both.'),
        name: z.string().optional().describe('To tell keys apart.'),
        expiresAt: z.iso.datetime().optional().describe('Not accepted after this moment.'),
      }),
    )
    .default([])
    .describe('Only hashes are kept here.'),
})
