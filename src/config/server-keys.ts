import { z } from 'zod'
import { accessKeys, addressList } from '../core/address-access.ts'
import { duration, size } from '../core/units.ts'
import { databaseKeys } from './database-keys.ts'
import { object } from './declare.ts'
import { overloadKeys } from './overload-keys.ts'
import { redisKeys } from './redis-keys.ts'
import { requestLogKeys } from './request-log-keys.ts'
import { tracingKeys } from './tracing-keys.ts'

const address = z
  .string()
  .regex(/^(\[[0-9A-Fa-f:.]+\]|[^:[\]]+):\d{1,5}$/, 'expected host:port, for instance 0.0.0.0:8080')
  .refine((text) => Number(text.slice(text.lastIndexOf(':') + 1)) <= 65_535, 'a port is at most 65535')

const pair = {
  cert: z
    .string()
    .describe('Certificate in PEM, followed by those of the authorities between; mostly file://path.'),
  key: z.string().describe('Its private key in PEM, without a passphrase; mostly file://path.'),
}

const serverName = z
  .string()
  .regex(/^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*$/, 'expected a name in lower case: shop.example, or *.example')

const tls = z
  .strictObject({
    listen: address
      .default('127.0.0.1:8443')
      .describe('host:port beside server.listen; port 0 takes a free one.'),
    ...pair,
    certificates: z
      .array(
        z.strictObject({
          hosts: z
            .array(serverName)
            .min(1, 'a certificate needs a name')
            .describe('Server names (SNI) that it is shown for: shop.example, *.example.'),
          ...pair,
        }),
      )
      .default([])
      .describe('More certificates. The one above is shown where no name fits.'),
    minVersion: z
      .enum(['TLSv1.2', 'TLSv1.3'])
      .default('TLSv1.2')
      .describe('Lowest version of TLS that is spoken.'),
    clientAuth: z
      .enum(['none', 'request', 'require'])
      .default('none')
      .describe(
        'Whether clients show a certificate of their own. `request`: they may; one that cannot be trusted is refused either way.',
      ),
    clientCa: z
      .string()
      .optional()
      .describe(
        'Certificates in PEM of the authorities that client certificates come from; mostly file://path.',
      ),
  })
  .superRefine(({ clientAuth, clientCa }, context) => {
    if ((clientAuth === 'none') === (clientCa === undefined)) return
    const message = clientCa === undefined ? 'needs clientCa' : 'is not used where clientAuth is none'
    context.addIssue({ code: 'custom', message, path: [clientCa === undefined ? 'clientAuth' : 'clientCa'] })
  })

/** `server`. */
export const serverKeys = {
  listen: address.default('127.0.0.1:8080').describe('host:port; port 0 takes a free one.'),
  tls: tls.optional().describe('A second port that speaks TLS, HTTP/2 and HTTP/1.1 by ALPN; absent: none.'),
  trustedProxies: addressList()
    .default([])
    .describe('Addresses or CIDR ranges of proxies whose X-Forwarded-* and Forwarded headers are believed.'),
  proxyProtocol: z
    .strictObject({
      from: addressList()
        .min(1, 'name the proxies; without any, leave proxyProtocol out')
        .describe(
          'Addresses or CIDR ranges of proxies that begin every connection with a PROXY header (version 1 or 2), on both ports. From nobody else is it taken.',
        ),
    })
    .optional()
    .describe(
      'For a TCP proxy in front that tells the address of the client by the PROXY protocol; absent: none.',
    ),
  access: object(accessKeys).describe(
    'Which peers may connect at all; the others are disconnected at once, on both ports. Behind a proxy the peer is the proxy: use the plugin ipAccess there.',
  ),
  limits: object({
    bodyBytes: size().prefault('10mb').describe('Largest request body.'),
    headerBytes: size().prefault('16kb').describe('All request headers together (431 above).'),
    headerCount: z.int().min(1).max(1_000).default(100).describe('Request headers (431 above).'),
    urlBytes: size().prefault('8kb').describe('Request target (414 above).'),
    headersTimeout: duration()
      .prefault('10s')
      .describe(
        'A client must have sent its headers by then (408); so long may the handshake of TLS take, too.',
      ),
    bodyTimeout: duration()
      .prefault('30s')
      .describe(
        'A client that sends less than 1 KiB of its body, or takes less of its answer, in this time is cut off.',
      ),
    keepAliveTimeout: duration().prefault('75s').describe('How long an idle client connection is kept.'),
    connections: z
      .int()
      .min(1)
      .default(20_000)
      .describe('Open client connections at the most, on each port.'),
    connectionsPerAddress: z
      .int()
      .min(0)
      .default(0)
      .describe(
        'Open connections of one address (IPv6: of its /64) at the most, both ports together; more are closed as they come. Trusted proxies are not counted. 0: any number.',
      ),
  })
    .refine(({ connections, connectionsPerAddress }) => connectionsPerAddress <= connections, {
      message: 'is more than `connections`, and so no limit; 0: any number',
      path: ['connectionsPerAddress'],
    })
    .describe('What clients can make large, slow or many.'),
  overload: overloadKeys,
  shutdown: object({
    drainDelay: duration()
      .prefault('2s')
      .describe('After SIGTERM: how long /readyz says 503 before the port is closed.'),
    gracePeriod: duration().prefault('10s').describe('How long requests in flight may take after that.'),
  }).describe('What happens on SIGTERM.'),
}

/** `stores`. */
export const storeKeys = {
  redis: redisKeys.optional().describe('What gateways share: counters of rate limits.'),
  database: databaseKeys.describe('What outlives a restart (docs/store.md).'),
}

/** `observability`. */
export const observabilityKeys = {
  log: object({
    level: z
      .enum(['debug', 'info', 'warn', 'error', 'silent'])
      .default('info')
      .describe('Least level that is written.'),
  }).describe('JSON lines on standard output.'),
  metrics: object({
    processMetrics: z.boolean().default(true).describe("Whether Node's own process metrics are included."),
  }).describe('Prometheus text at /metrics.'),
  tracing: tracingKeys
    .optional()
    .describe('OpenTelemetry traces (docs/tracing.md); absent: none, at no cost.'),
  requestLog: requestLogKeys,
}
