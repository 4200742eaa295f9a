import { z } from 'zod'
import { duration } from '../core/units.ts'
import { clientTlsKeys } from './client-tls-keys.ts'
import { object } from './declare.ts'

const host = '(?:\\d{1,3}(?:\\.\\d{1,3}){3}|\\[[0-9A-Fa-f:.]+\\])'

const dnsKeys = {
  scheme: z.enum(['http', 'https']).default('http').describe('Of the targets.'),
  records: z
    .array(z.enum(['A', 'AAAA']))
    .min(1)
    .default(['A'])
    .describe('Which addresses are looked up: A is IPv4, AAAA is IPv6.'),
  servers: z
    .array(
      z
        .string()
        .regex(
          new RegExp(`^${host}(?::\\d{1,5})?$`),
          'expected an address: 10.0.0.2, 10.0.0.2:5353 or [::1]:53',
        ),
    )
    .default([])
    .describe('DNS servers, asked in this order. Empty: those of the system.'),
  refresh: object({
    min: duration()
      .refine((ms) => ms >= 100, 'must be 100ms at least')
      .prefault('1s')
      .describe('No sooner; also the first pause after a failure, which doubles.'),
    max: duration().prefault('60s').describe('No later.'),
  })
    .refine(({ min, max }) => min <= max, { message: 'must not be below min', path: ['max'] })
    .describe('When names are looked up again: when the TTL is over, within these bounds.'),
}

const dnsName = z
  .string()
  .max(253)
  .regex(
    /^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$/,
    'expected a domain name',
  )

/** `discovery` of an upstream. */
export const discoveryKeys = z
  .discriminatedUnion(
    'type',
    [
      z.strictObject({
        type: z.literal('dns'),
        name: dnsName.describe('The name whose addresses are the targets; search lists do not apply.'),
        port: z.int().min(1).max(65_535).describe('Where the targets listen.'),
        ...dnsKeys,
      }),
      z.strictObject({
        type: z.literal('dnsSrv'),
        name: dnsName.describe('The name of the SRV records: _http._tcp.users.internal.'),
        ...dnsKeys,
      }),
      z.strictObject({
        type: z.literal('etcd'),
        endpoints: z
          .array(
            z
              .string()
              .regex(/^https?:\/\/[^/?#@]+$/, 'expected http://host:port or https://host:port')
              .refine(
                (url) => !/^https?:/.test(url) || URL.canParse(url),
                'expected http://host:port or https://host:port',
              ),
          )
          .min(1)
          .describe('The members of the etcd cluster, version 3.4 or later.'),
        prefix: z
          .string()
          .regex(/^.*\/$/, 'expected a prefix that ends with "/"')
          .describe(
            'What the keys begin with. Each value is a URL, or JSON: {"url": ..., "weight": ..., "priority": ...}.',
          ),
        user: z.string().min(1).optional().describe('Where etcd asks for one.'),
        password: z.string().default('').describe('Of the user.'),
        tls: clientTlsKeys.optional().describe('How https endpoints are verified.'),
        timeout: duration().prefault('5s').describe('To connect, and for an answer.'),
        resync: duration()
          .refine((ms) => ms >= 100, 'must be 100ms at least')
          .prefault('30s')
          .describe('All keys are read again after so long, although they are watched.'),
      }),
      z.strictObject({
        type: z.literal('registry'),
        service: z
          .string()
          .regex(
            /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
            'a service is named by letters, digits, ".", "_" and "-"',
          )
          .describe('Under which name instances register with this gateway.'),
      }),
    ],
    'expected a type: dns, dnsSrv, etcd or registry',
  )
  .describe('Where the targets are found while the gateway runs, instead of targets: docs/discovery.md.')
