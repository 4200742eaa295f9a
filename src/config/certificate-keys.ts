import { z } from 'zod'

/** `consumers[].certificates`. */
export const certificateKeys = z
  .array(
    z.union([
      z.strictObject({
        fingerprint: z
          .string()
          .regex(/^([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}$/, 'expected the SHA-256 in 64 hexadecimal digits')
          .describe('SHA-256 of the certificate, with or without colons.'),
      }),
      z.strictObject({
        san: z
          .string()
          .regex(/^(dns|uri|email|ip):./i, 'expected dns:, uri:, email: or ip: and the name')
          .describe('One of its names: dns:billing.internal, uri:spiffe://shop/billing, email:, ip:.'),
      }),
      z.strictObject({
        subject: z
          .string()
          .min(1)
          .describe('The whole subject as OpenSSL has it by RFC 2253: CN=billing, O=Shop.'),
      }),
    ]),
  )
  .default([])
  .describe(
    'Client certificates that are theirs; needs server.tls.clientAuth. Any authority of clientCa can issue one.',
  )
