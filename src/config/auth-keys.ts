import { z } from 'zod'
import { name, object } from './declare.ts'
import { introspectionKeys } from './introspection-keys.ts'
import { jwtKeys, tokenPlaceKeys } from './jwt-keys.ts'

/** `auth`. */
export const authKeys = {
  jwt: jwtKeys,
  introspection: introspectionKeys,
  tokens: tokenPlaceKeys,
  apiKeys: object({
    header: z.string().toLowerCase().default('x-api-key').describe('Header with the key.'),
  }).describe('API keys of consumers.'),
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
