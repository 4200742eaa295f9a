import { z } from 'zod'
import { duration } from '../core/units.ts'
import { audience, claimKeys } from './jwt-keys.ts'

/** `auth.introspection`. */
export const introspectionKeys = z
  .array(
    z.strictObject({
      issuer: z
        .string()
        .min(1)
        .describe('Whose tokens they are: what backends are told, and the `iss` of an answer that has one.'),
      url: z
        .url()
        .optional()
        .describe(
          'The introspection endpoint (RFC 7662); if absent, the issuer, an https address, is asked where it is.',
        ),
      clientId: z.string().min(1).describe('Who we are there.'),
      clientSecret: z
        .string()
        // biome-ignore lint/suspicious/noTemplateCurlyInString: it tells what may stand there
        .describe('By HTTP Basic. Use ${ENV} or file://.'),
      tokenPrefix: z
        .string()
        .default('')
        .describe('Only tokens that begin so are asked about there; of several entries the longest decides.'),
      audience: audience()
        .optional()
        .describe(
          'What `aud` of the answer must contain: one text, or a list of which one is enough. Any if absent.',
        ),
      requiredClaims: z
        .array(z.string().min(1))
        .default([])
        .describe('What the answer must have besides the claim of the user.'),
      claims: claimKeys().describe('Where an answer says what.'),
      clockSkew: duration()
        .prefault('30s')
        .refine((ms) => ms <= 60_000, 'at most 60s')
        .describe('Tolerance for exp, nbf and iat, at most 60s.'),
      cacheFor: duration()
        .prefault('30s')
        .refine((ms) => ms <= 3_600_000, 'at most 1h')
        .describe(
          'How long a good token is not asked about again: so long one that was revoked there still works.',
        ),
      timeout: duration().prefault('2s').describe('For one answer.'),
      concurrency: z.int().min(1).max(1_000).default(32).describe('Questions at a time; others wait.'),
      perSecond: z
        .int()
        .min(1)
        .default(500)
        .describe(
          'Questions about new tokens in one second; what is above gets 503: a stranger can make up tokens.',
        ),
    }),
  )
  .default([])
  .describe('Servers that are asked about tokens that are no JSON Web Token of a known issuer.')
