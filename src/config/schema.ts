import { z } from 'zod'
import { isCidr } from '../core/client-address.ts'
import { duration, size } from '../core/units.ts'
import { parseTemplate } from '../routing/template.ts'
import { type PluginOptions, pluginList } from './plugin-list.ts'

/**
 * The configuration of a gateway: type, check, default and documentation of every key in one declaration. Durations are written `5s` and read
 * as milliseconds, sizes are written `10mb` and read as bytes.
 *
 * @param plugins every plugin that the configuration may name, with the schema of its options.
 */
export function configSchema(plugins: readonly PluginOptions[]) {
  const uses = pluginList(plugins)
  return z.strictObject({
    $schema: z.string().optional().describe('For editors; ignored.'),
    server: object(server).describe('Where the gateway listens and what it accepts.'),
    stores: object(stores).describe('Services that the gateway may lean on. None is required.'),
    observability: object(observability).describe('Log and metrics.'),
    pluginModules: z
      .array(z.string())
      .default([])
      .describe('Modules with plugins of your own: paths relative to this file. Each exports `plugin`.'),
    plugins: uses.default([]).describe('Plugins for every route and every protocol, in run order.'),
    upstreams: z
      .record(name('an upstream'), upstream)
      .default({})
      .describe('Named groups of backends that answer alike.'),
    routes: z.array(route(uses)).default([]).describe('REST routes.'),
    graphql: graphql(uses).optional().describe('The federated GraphQL endpoint; absent: none.'),
    grpc: grpc(uses)
      .optional()
      .describe('gRPC services reached by REST through google.api.http annotations; absent: none.'),
    auth: object(auth).describe('How callers prove who they are.'),
    consumers: z.array(consumer).default([]).describe('Callers with API keys.'),
  })
}

/** A complete configuration, defaults filled in. */
export type Config = z.output<ReturnType<typeof configSchema>>
export type RouteConfig = Config['routes'][number]
export type UpstreamConfig = Config['upstreams'][string]

/** An object that may be left out because all of its keys have defaults. */
function object<S extends z.ZodRawShape>(shape: S) {
  return z.strictObject(shape).prefault({} as never)
}

function name(of: string) {
  return z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, `${of} is named by letters, digits, ".", "_" and "-"`)
}

function template(): z.ZodString {
  return z.string().superRefine((text, context) => {
    try {
      parseTemplate(text)
    } catch (error) {
      context.addIssue(error instanceof Error ? error.message : String(error))
    }
  })
}

const address = z
  .string()
  .regex(/^(\[[0-9A-Fa-f:.]+\]|[^:[\]]+):\d{1,5}$/, 'expected host:port, for instance 0.0.0.0:8080')

const server = {
  listen: address.default('127.0.0.1:8080').describe('host:port; port 0 takes a free one.'),
  trustedProxies: z
    .array(z.string().refine(isCidr, 'expected an address or a CIDR range'))
    .default([])
    .describe('Addresses or CIDR ranges of proxies whose X-Forwarded-* and Forwarded headers are believed.'),
  limits: object({
    bodyBytes: size().prefault('10mb').describe('Largest request body.'),
    headerBytes: size().prefault('16kb').describe('All request headers together (431 above).'),
    headerCount: z.int().min(1).max(1_000).default(100).describe('Request headers (431 above).'),
    urlBytes: size().prefault('8kb').describe('Request target (414 above).'),
    headersTimeout: duration().prefault('10s').describe('A client must have sent its headers by then (408).'),
    bodyTimeout: duration()
      .prefault('30s')
      .describe('A client that sends no piece of its body for so long is cut off (408).'),
    keepAliveTimeout: duration().prefault('75s').describe('How long an idle client connection is kept.'),
    connections: z.int().min(1).default(20_000).describe('Open client connections at the most.'),
  }).describe('What clients can make large, slow or many.'),
  shutdown: object({
    drainDelay: duration()
      .prefault('2s')
      .describe('After SIGTERM: how long /readyz says 503 before the port is closed.'),
    gracePeriod: duration().prefault('10s').describe('How long requests in flight may take after that.'),
  }).describe('What happens on SIGTERM.'),
}

const stores = {
  redis: z
    .strictObject({ url: z.string().describe('redis:// or rediss:// URL; empty: no Redis.') })
    .optional()
    .describe('Shared counters of rate limits.'),
}

const observability = {
  log: object({
    level: z
      .enum(['debug', 'info', 'warn', 'error', 'silent'])
      .default('info')
      .describe('Least level that is written.'),
  }).describe('JSON lines on standard output.'),
  metrics: object({
    processMetrics: z.boolean().default(true).describe("Whether Node's own process metrics are included."),
  }).describe('Prometheus text at /metrics.'),
}

const upstream = z.strictObject({
  targets: z
    .array(
      z.strictObject({
        url: z
          .string()
          .regex(/^https?:\/\/[^/?#@]+\/?$/, 'expected http://host:port or https://host:port without a path')
          .describe('http://host:port or https://host:port.'),
        weight: z.int().min(0).max(65_535).default(100).describe('Share of the traffic; 0 takes none.'),
      }),
    )
    .min(1, 'an upstream needs a target')
    .refine(
      (targets) => targets.some((target) => target.weight > 0),
      'at least one target needs a weight above 0',
    )
    .describe('The backends, balanced by smooth weighted round robin.'),
  timeouts: object({
    connect: duration().prefault('2s').describe('To open a connection.'),
    request: duration()
      .prefault('30s')
      .describe('From the request (its last byte) to the head of the answer; 0s: no limit.'),
    idle: duration()
      .prefault('60s')
      .describe('Between two pieces of an answer; 0s: no limit. Event streams need 0s or pings.'),
  }).describe('Time limits of a call.'),
  retry: object({
    attempts: z
      .int()
      .min(1)
      .max(10)
      .default(2)
      .describe('Tries at the most, the first included; 1: no retry.'),
  }).describe('Connections that fail are tried on another target where that is safe.'),
  connections: object({
    max: z.int().min(1).default(256).describe('Connections to one target at the most.'),
    keepAlive: duration()
      .prefault('4s')
      .describe("How long an idle connection is kept; below the backend's own."),
  }).describe('Connections to each target.'),
  healthChecks: object({
    active: z
      .strictObject({
        path: z
          .string()
          .startsWith('/')
          .default('/health')
          .describe('Asked with GET; any 2xx answer is healthy.'),
        interval: duration().prefault('5s').describe('Between two probes.'),
        timeout: duration().prefault('2s').describe('A probe that takes longer has failed.'),
        healthyAfter: z.int().min(1).default(1).describe('Good probes in a row that bring a target back.'),
        unhealthyAfter: z.int().min(1).default(2).describe('Failed probes in a row that take a target out.'),
      })
      .optional()
      .describe('Probes; absent: targets are taken as healthy.'),
  }).describe('How the gateway learns that a target is down.'),
})

const authorize = object({
  roles: z.array(z.string()).default([]).describe('The caller needs one of these.'),
  scopes: z.array(z.string()).default([]).describe('The caller needs all of these.'),
})

function policy(uses: ReturnType<typeof pluginList>) {
  return {
    auth: z
      .enum(['required', 'optional', 'none'])
      .default('required')
      .describe(
        'Whether callers must prove who they are. Credentials that are sent must be valid either way.',
      ),
    authorize: authorize.describe('What a caller needs besides an identity.'),
    plugins: uses
      .default([])
      .describe('Plugins of this place, run after the global ones and after identity.'),
    forwardCredentials: z
      .boolean()
      .default(false)
      .describe(
        "Whether the client's own Authorization and API key headers go on to the upstream (with auth none they always do).",
      ),
  }
}

function route(uses: ReturnType<typeof pluginList>) {
  const match = z.record(z.string().toLowerCase(), z.string())
  return z.strictObject({
    id: name('a route').describe('Unique; the label of logs and metrics.'),
    path: template().describe(
      'Template in the grammar of google.api.http: /v1/users/**, /v1/{name=shelves/*}:watch.',
    ),
    methods: z
      .array(z.string().regex(/^[A-Z]+$/, 'methods are upper case'))
      .default([])
      .describe('Empty: every method. GET includes HEAD.'),
    hosts: z
      .array(
        z
          .string()
          .toLowerCase()
          .regex(/^(\*\.)?[a-z0-9.-]+$/, 'expected a host name, or *. and one'),
      )
      .default([])
      .describe('Host names or *.example.com; empty: every host.'),
    headers: match.default({}).describe('Headers that must be there, by exact value or "*" for any.'),
    query: z
      .record(z.string(), z.string())
      .default({})
      .describe('Query parameters that must be there, likewise.'),
    priority: z.int().default(0).describe('Higher wins between routes that match equally well.'),
    upstream: z.string().describe('Who answers: a name under upstreams.'),
    rewrite: object({
      stripPrefix: z
        .string()
        .startsWith('/')
        .optional()
        .describe('Segments taken off the path: /v1/users makes /v1/users/42 into /42.'),
      path: z.string().startsWith('/').optional().describe('A fixed path instead; excludes stripPrefix.'),
      prefix: z
        .string()
        .startsWith('/')
        .optional()
        .describe('Segments put before the path, after stripPrefix.'),
    }).describe('The path that the upstream sees.'),
    timeout: duration()
      .optional()
      .describe("Time to the head of the answer, instead of the upstream's timeouts.request."),
    bodyBytes: size().optional().describe('Largest request body, instead of server.limits.bodyBytes.'),
    encodedSlash: z
      .boolean()
      .default(false)
      .describe('Whether %2F and %5C inside a segment are accepted (else 404).'),
    ...policy(uses),
  })
}

function graphql(uses: ReturnType<typeof pluginList>) {
  return z
    .strictObject({
      path: template().default('/graphql').describe('Where clients ask.'),
      subgraphs: z
        .record(
          name('a subgraph'),
          z.strictObject({
            upstream: z.string().describe('Who answers: a name under upstreams.'),
            path: z.string().startsWith('/').default('/graphql').describe("Path of the subgraph's endpoint."),
            schema: z
              .string()
              .optional()
              .describe('SDL file, relative to this file; needed unless supergraph is set.'),
          }),
        )
        .describe('Federation 2 subgraphs.'),
      supergraph: z
        .string()
        .optional()
        .describe('A composed supergraph file, instead of composing the SDL files.'),
      introspection: z.boolean().default(false).describe('Whether clients may ask for the schema.'),
      explorer: z.boolean().default(false).describe('Whether browsers get GraphiQL at the path.'),
      limits: object({
        bodyBytes: size().prefault('2mb').describe('Largest request body.'),
        depth: z
          .int()
          .min(1)
          .default(15)
          .describe('Nested selections, fragments counted where they are spread.'),
        aliases: z.int().min(0).default(30).describe('Aliases, fragments counted where they are spread.'),
        tokens: z.int().min(1).default(15_000).describe('Lexical tokens of the document.'),
        rootFields: z.int().min(1).default(20).describe('Fields at the root.'),
        directives: z.int().min(0).default(50).describe('Directives in the document.'),
      }).describe('Counted before an operation is validated or planned.'),
      ...policy(uses),
    })
    .superRefine((value, context) => {
      if (value.supergraph !== undefined) return
      for (const [key, subgraph] of Object.entries(value.subgraphs)) {
        if (subgraph.schema !== undefined) continue
        context.addIssue({
          code: 'custom',
          path: ['subgraphs', key],
          message: 'needs a schema (or graphql.supergraph)',
        })
      }
    })
}

function grpc(uses: ReturnType<typeof pluginList>) {
  return z.strictObject({
    protos: z.array(z.string()).min(1).describe('Proto files or globs, relative to this file.'),
    includeDirs: z
      .array(z.string())
      .default(['protos'])
      .describe(
        'Where imports are looked up; google/api, google/rpc, google/type and google/protobuf are built in.',
      ),
    messageBytes: size().prefault('4mb').describe('Largest message in either direction.'),
    services: z
      .record(
        z.string(),
        z.strictObject({
          upstream: z.string().describe('Who answers: a name under upstreams.'),
          timeout: duration()
            .optional()
            .describe("Deadline of a call, instead of the upstream's timeouts.request."),
          json: object({
            emitDefaults: z
              .boolean()
              .default(false)
              .describe('Whether fields with default values are written.'),
            protoNames: z
              .boolean()
              .default(false)
              .describe('Whether fields keep their names of the proto file.'),
            enumsAsNumbers: z.boolean().default(false).describe('Whether enums are written as numbers.'),
            ignoreUnknown: z
              .boolean()
              .default(false)
              .describe('Whether unknown fields and parameters are ignored (else 400).'),
          }).describe('How messages are spelled in JSON.'),
          ...policy(uses),
        }),
      )
      .describe('By full name: library.v1.LibraryService.'),
  })
}

const auth = {
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
          .describe('For HS algorithms, at least 32 bytes. Use ${ENV} or file://.'),
        jwks: z.string().optional().describe('A JSON Web Key Set; file://jwks.json for a file.'),
        jwksUri: z.url().optional().describe('Where the key set is fetched.'),
        clockSkew: duration()
          .prefault('30s')
          .refine((ms) => ms <= 60_000, 'at most 60s')
          .describe('Tolerance for exp and nbf, at most 60s.'),
        claims: object({
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
}

const consumer = z.strictObject({
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
