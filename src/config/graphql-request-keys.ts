import { z } from 'zod'
import { asksForSomething } from '../core/authorization.ts'
import { duration, size } from '../core/units.ts'
import { authorizeKey } from './authorize-keys.ts'
import { object } from './declare.ts'

/** Those of all callers who meet this; at least one condition, or it would be everybody. */
const some = authorizeKey
  .refine(asksForSomething, 'asks for nothing: say which roles, scopes, claims or consumers')
  .describe('Callers with all of what is here, as under authorize.')

/** Whom a rule holds for. */
export const audience = z.union(
  [z.boolean(), some],
  'expected true, false, or what a caller needs (roles, scopes, ...)',
)

/** `graphql.persistedQueries`, `trustedDocuments`, `batching`, `uploads`, `introspection` and `suggestions`. */
export const requestKeys = {
  introspection: audience
    .default(false)
    .describe('Who may ask for the schema: true, false, or callers with what is here.'),
  suggestions: audience
    .optional()
    .describe(
      'Whose mistakes are answered with names of the schema ("Did you mean"). Default: as introspection.',
    ),
  persistedQueries: object({
    enabled: z
      .boolean()
      .default(true)
      .describe(
        'Whether clients may send the SHA-256 of an operation in place of one that the gateway has seen.',
      ),
    entries: z.int().min(1).default(1_000).describe('Operations that a gateway remembers at the most.'),
    bytes: size().prefault('16mb').describe('Their texts together, at the most.'),
    store: z
      .enum(['auto', 'redis', 'memory'])
      .default('auto')
      .describe('redis shares them with other gateways; auto is redis when stores.redis is there.'),
    ttl: duration()
      .refine((ms) => ms >= 1_000, 'must be at least 1s')
      .prefault('24h')
      .describe('How long Redis keeps one that nobody asks for.'),
  }).describe('Automatic persisted queries, as Apollo clients send them (docs/graphql-requests.md).'),
  trustedDocuments: z
    .strictObject({
      manifests: z
        .array(z.string())
        .min(1)
        .describe(
          'JSON files of operations by their ids, relative to this file; globs may choose them. Apollo: {format, version: 1, operations: [{id, name, type, body}]}; Relay and GraphQL Code Generator: {id: text}.',
        ),
      mode: z
        .enum(['required', 'logged', 'off'])
        .default('required')
        .describe(
          'What is done with other operations: required refuses them, logged lets them through and logs each once, off lets them through.',
        ),
      exempt: some.optional().describe('Callers who may run other operations: developers, for example.'),
    })
    .superRefine(({ mode, exempt }, context) => {
      if (mode === 'required' || exempt === undefined) return
      const message = `exempts from a rule that mode: ${mode} does not have`
      context.addIssue({ code: 'custom', path: ['exempt'], message })
    })
    .optional()
    .describe('Operations that were registered before they are asked for. Absent: none are.'),
  batching: z
    .strictObject({
      maxOperations: z.int().min(2).max(100).default(10).describe('Operations of one request at the most.'),
    })
    .optional()
    .describe('Lets clients send several operations as a JSON list. Absent: they may not.'),
  uploads: z
    .strictObject({
      files: z.int().min(1).max(100).default(10).describe('Files of one request at the most.'),
      fileBytes: size().prefault('10mb').describe('Largest file.'),
      bytes: size().prefault('50mb').describe('All files of one request together.'),
      timeout: duration()
        .prefault('5m')
        .describe(
          'How long a fetch may take that carries files, instead of timeouts.request of its upstream.',
        ),
    })
    .refine(({ fileBytes, bytes }) => fileBytes <= bytes, {
      path: ['fileBytes'],
      message: 'is more than bytes, which all files together may have',
    })
    .optional()
    .describe(
      'Lets clients send files by the GraphQL multipart request specification. Absent: they may not.',
    ),
}
