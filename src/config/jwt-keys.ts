import { z } from 'zod'
import { classifyRequestHeader } from '../core/headers.ts'
import { asymmetricAlgorithms, symmetricAlgorithms } from '../core/jws-algorithms.ts'
import { duration, size } from '../core/units.ts'
import { object } from './declare.ts'

/** One name, or a list of which one is enough. */
export function audience() {
  const one = z.string().min(1)
  return z.union([one, z.array(one).min(1)], {
    error: ({ input }) => `${input === undefined ? 'is missing: ' : ''}expected a text or a list of texts`,
  })
}

/** Where claims say what. */
export function claimKeys() {
  return object({
    user: z.string().default('sub').describe('Claim with the id of the user.'),
    name: z.string().default('name').describe('Claim with the display name.'),
    roles: z.string().default('roles').describe('Claim with the roles: a list or words.'),
    scopes: z.string().default('scope').describe('Claim with the scopes: a list or words.'),
  })
}

/** `auth.jwt`. */
export const jwtKeys = z
  .array(
    z
      .strictObject({
        issuer: z.string().min(1).describe('The `iss` that a token must have.'),
        audience: audience().describe('What `aud` must contain: one text, or a list of which one is enough.'),
        algorithms: z
          .array(z.enum([...symmetricAlgorithms, ...asymmetricAlgorithms]))
          .min(1)
          .describe('The only ones accepted; never taken from the token.'),
        secret: z
          .string()
          .optional()
          // biome-ignore lint/suspicious/noTemplateCurlyInString: it tells what may stand there
          .describe('For HS algorithms, at least 32 bytes. Use ${ENV} or file://.'),
        jwks: z.string().optional().describe('A JSON Web Key Set; file://jwks.json for a file.'),
        jwksUri: z
          .url()
          .optional()
          .describe(
            'Where the key set is fetched. Without secret, jwks and jwksUri the issuer, an https address, is asked where it is (OpenID Connect Discovery, RFC 8414).',
          ),
        jwksRefresh: duration()
          .refine((ms) => ms >= 1_000 && ms <= 3_600_000, 'between 1s and 1h')
          .optional()
          .describe(
            'How often a fetched key set is fetched again: so long a key that was withdrawn still works. 30s if absent.',
          ),
        jwksMaxStale: duration()
          .refine((ms) => ms >= 60_000, 'at least 1m')
          .optional()
          .describe('How long a fetched key set serves on while it cannot be fetched. 24h if absent.'),
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
        claims: claimKeys().describe('Where a token says what.'),
      })
      .superRefine(({ secret, jwks, jwksRefresh, jwksMaxStale }, context) => {
        if (secret === undefined && jwks === undefined) return
        for (const [key, value] of Object.entries({ jwksRefresh, jwksMaxStale }))
          if (value !== undefined)
            context.addIssue({ code: 'custom', path: [key], message: 'is for key sets that are fetched' })
      }),
  )
  .default([])
  .describe('Issuers of JSON Web Tokens.')

/** `auth.tokens`. */
export const tokenPlaceKeys = object({
  header: z
    .string()
    .regex(/^[!#$%&'*+.^`|~0-9A-Za-z-]+$/, 'a header is named by a token without "_"')
    .toLowerCase()
    .refine((name) => name !== 'cookie' && classifyRequestHeader(name) !== 'drop', 'means something else')
    .default('authorization')
    .describe('Header with the token: after `Bearer` in authorization, alone in any other.'),
  cookie: z
    .string()
    .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'a cookie is named by a token (RFC 6265 section 4.1.1)')
    .optional()
    .describe(
      'Cookie with the token, looked at where the header has none; best one that begins with __Host-. None if absent.',
    ),
  allowedOrigins: z
    .array(
      z
        .string()
        .regex(/^https?:\/\/[^/?#@\s]+$/, 'expected an origin without a path: https://app.example.com'),
    )
    .default([])
    .describe("Origins besides the gateway's own whose pages may change something with the cookie."),
})
  .superRefine(({ cookie, allowedOrigins }, context) => {
    if (cookie !== undefined || allowedOrigins.length === 0) return
    context.addIssue({ code: 'custom', path: ['allowedOrigins'], message: 'is not used without cookie' })
  })
  .describe('Where tokens stand in a request.')
