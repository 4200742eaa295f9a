import { z } from 'zod'
import { duration, size } from '../core/units.ts'
import { hiddenKeys, infoShape } from './api-docs-keys.ts'
import { canaryKey } from './canary-keys.ts'
import { object } from './declare.ts'
import { serviceFallback } from './fallback-keys.ts'
import { grpcMethodsKey } from './grpc-method-keys.ts'
import { mirrorKey } from './mirror-keys.ts'
import { type PluginListSchema, policyKeys } from './policy-keys.ts'

/** `grpc`. */
export function grpcSchema(uses: PluginListSchema) {
  return z.strictObject({
    protos: z.array(z.string()).default([]).describe('Proto files or globs, relative to this file.'),
    descriptorSets: z
      .array(z.string())
      .default([])
      .describe(
        'Files or globs of descriptor sets (protoc --include_imports --descriptor_set_out, buf build -o).',
      ),
    reflection: z
      .array(
        z.strictObject({
          upstream: z.string().describe('A name under upstreams: its gRPC server reflection is asked.'),
          interval: duration()
            .refine((ms) => ms >= 100, 'expected at least 100ms')
            .prefault('60s')
            .describe('Between two times; a change is applied by itself.'),
          timeout: duration()
            .prefault('5s')
            .describe('For all questions of one time; a start waits no longer.'),
        }),
      )
      .default([])
      .describe('Backends that describe their services themselves, where no file does.'),
    includeDirs: z
      .array(z.string())
      .default(['protos'])
      .describe(
        'Where imports are looked up; google/api, google/rpc, google/type and google/protobuf are built in.',
      ),
    health: z
      .boolean()
      .default(true)
      .describe(
        'Whether grpc.health.v1.Health is served for the gateway itself, open to everybody as /readyz is.',
      ),
    messageBytes: size().prefault('4mb').describe('Largest message in either direction.'),
    channel: z
      .enum(['fast', 'grpc-js'])
      .default('fast')
      .describe("What carries the calls: the gateway's own HTTP/2 client, or @grpc/grpc-js."),
    keepalive: object({
      interval: duration()
        .prefault('0s')
        .refine((ms) => ms === 0 || ms >= 1_000, 'expected 0s, or at least 1s')
        .describe(
          'A PING after so long a silence, while there are calls; 0s: never. Backends may refuse many.',
        ),
      timeout: duration()
        .prefault('20s')
        .describe('How long its answer may take; then the connection is lost.'),
    }).describe('Whether connections to backends are alive.'),
    connections: z
      .int()
      .min(1)
      .default(4)
      .describe(
        "HTTP/2 connections of the fast channel to one target at the most, never above the upstream's connections.max.",
      ),
    webSocketPing: duration()
      .prefault('30s')
      .describe('Between two pings of a WebSocket; one that is silent for two is ended. 0s: no pings.'),
    info: infoKeys,
    services: z
      .record(
        z.string(),
        z.strictObject({
          upstream: z.string().describe('Who answers: a name under upstreams.'),
          canary: canaryKey,
          mirror: mirrorKey,
          timeout: duration()
            .optional()
            .describe("Deadline of a call, instead of the upstream's timeouts.request."),
          fallback: serviceFallback,
          messageBytes: size()
            .optional()
            .describe('Largest message in either direction, instead of grpc.messageBytes.'),
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
          unannotated: z
            .boolean()
            .default(false)
            .describe('Whether methods without google.api.http are served at POST /package.Service/Method.'),
          metadata: metadataKeys,
          docs: hiddenKeys,
          ...policyKeys(uses),
          methods: grpcMethodsKey(uses),
        }),
      )
      .describe('By full name: library.v1.LibraryService.'),
  })
}

/** The Info Object of OpenAPI 3.1. */
const infoKeys = object({
  title: z.string().min(1).optional().describe('What the API is called; absent: gRPC services over HTTP.'),
  version: z.string().min(1).optional().describe("The API's version, not the gateway's; absent: 1.0.0."),
  ...infoShape,
}).describe('What /openapi/grpc.json says of the whole.')

/** A header's name; `*` at its end stands for any rest. */
const headerPattern = z
  .string()
  .toLowerCase()
  .regex(/^(?:[a-z0-9_.-]+\*?|\*)$/, 'expected a header name, which may end in "*"')

const metadataKeys = object({
  request: z
    .array(headerPattern)
    .default(['grpc-metadata-*'])
    .describe(
      'Request headers that pass as metadata, Grpc-Metadata-* without that prefix; x-* for all that begin so. Never what the gateway sets itself.',
    ),
  response: z
    .array(headerPattern)
    .default(['*'])
    .describe(
      'Metadata of answers that pass: under its own name what is written out, as Grpc-Metadata-* (Grpc-Trailer-*) what a * covers.',
    ),
}).describe('Which headers and metadata pass.')
