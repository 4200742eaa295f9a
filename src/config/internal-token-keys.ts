import { z } from 'zod'
import { duration } from '../core/units.ts'

/** `auth.internalToken`. */
export const internalTokenKeys = z
  .strictObject({
    issuer: z.string().min(1).default('trivium').describe('The `iss` of the tokens.'),
    algorithm: z
      .enum(['HS256', 'RS256', 'ES256', 'EdDSA'])
      .default('ES256')
      .describe('How they are signed. With HS256 every backend could make them, too.'),
    key: z.string().optional().describe('Private key in PEM, mostly file://path; not for HS256.'),
    secret: z
      .string()
      .optional()
      .describe('For HS256, at least 32 bytes. Use an environment variable or file://.'),
    previousKeys: z
      .array(z.string())
      .default([])
      .describe('Keys in PEM that were used before: still published, for tokens that are under way.'),
    expiresIn: duration()
      .prefault('60s')
      .refine((ms) => ms >= 10_000 && ms <= 3_600_000, 'between 10s and 1h')
      .describe('How long a token is good. It is used again for half of that.'),
    header: z
      .string()
      .toLowerCase()
      .regex(/^[a-z0-9-]{1,64}$/, 'expected letters, digits and "-"')
      .default('x-gateway-token')
      .describe('The header that they go in; in authorization they are bearer tokens.'),
    audience: z
      .string()
      .min(1)
      .optional()
      .describe('The `aud` of all of them; by default the name of the upstream.'),
    jwksPath: z
      .string()
      .regex(/^\/[A-Za-z0-9._/-]+$/, 'expected a path: /.well-known/gateway-jwks.json')
      .default('/.well-known/gateway-jwks.json')
      .describe('Where backends find the public keys.'),
    send: z
      .enum(['headers', 'token', 'both'])
      .default('both')
      .describe('What upstreams get that do not say it themselves.'),
  })
  .superRefine(({ algorithm, key, secret, previousKeys, header }, context) => {
    const issue = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message })
    if (algorithm === 'HS256') {
      if (secret === undefined) issue('algorithm', 'HS256 needs a secret')
      if (key !== undefined) issue('key', 'is not used with HS256')
      if (previousKeys.length > 0) issue('previousKeys', 'are not used with HS256')
    } else {
      if (key === undefined) issue('algorithm', `${algorithm} needs a key`)
      if (secret !== undefined) issue('secret', `is not used with ${algorithm}`)
    }
    const isTaken = taken.test(header) && header !== 'x-gateway-token'
    if (isTaken) issue('header', `"${header}" has a meaning of its own`)
  })
  .optional()
  .describe('Short-lived signed tokens that tell backends who calls; absent: none.')

/** Headers of the connection, of the message, of gRPC, and those that the gateway writes for other ends. */
const taken =
  /^(connection|keep-alive|te|trailer|transfer-encoding|upgrade|host|expect|content-.*|accept.*|via|forwarded|cookie|date|traceparent|tracestate|x-forwarded-.*|x-user-.*|x-consumer|x-gateway.*|x-canary|x-real-ip|x-request-id|x-trace-id|grpc-.*|.*-bin|sec-.*|proxy-.*)$/
