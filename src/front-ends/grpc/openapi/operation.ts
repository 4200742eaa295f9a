import { asksForSomething, describeAuthorization } from '../../../core/authorization.ts'
import type { Policy } from '../../../core/route.ts'
import type { OpenApiPath } from '../../../routing/open-api-path.ts'
import type { Binding } from '../binding.ts'
import { type ParametersOptions, pathParameters, queryParameters } from './parameters.ts'
import { refusals, requestContent, responseContent } from './responses.ts'
import type { Schema } from './scalar-schema.ts'

/** What one operation is described with, beside its binding. */
export interface OperationOptions extends ParametersOptions {
  /** Unique in the document. */
  readonly id: string
  readonly path: OpenApiPath
  readonly policy: Policy
}

/** One binding of a method as an OpenAPI operation. */
export function describeOperation(binding: Binding, options: OperationOptions): Schema {
  const { desc } = binding.method
  const { id, path, policy, schemas, comments } = options
  const parameters = [...pathParameters(binding, path, options), ...queryParameters(binding, options)]
  const content = requestContent(binding, schemas)
  const comment = comments.get(`${desc.parent.typeName}.${desc.name}`) ?? ''
  return {
    operationId: id,
    tags: [desc.parent.typeName],
    summary: firstSentence(comment) || desc.name,
    description: [comment || `Calls \`${desc.name}\`.`, ...notes(binding, policy)].join('\n\n'),
    ...((desc.deprecated || desc.parent.deprecated) && { deprecated: true }),
    ...(parameters.length > 0 && { parameters }),
    ...(content !== undefined && { requestBody: { required: true, content } }),
    responses: {
      '200': { description: responseText(binding), content: responseContent(binding, schemas) },
      ...refusals({ policy, hasVariables: path.parameters.length > 0 }),
    },
    security: security(policy),
    'x-grpc-method': binding.method.path.slice(1),
  }
}

function firstSentence(comment: string): string {
  const [paragraph = ''] = comment.split(/\n\s*\n/)
  const line = paragraph.replace(/\s+/g, ' ')
  return (/^.*?[.!?](?=\s|$)/.exec(line)?.[0] ?? line).replace(/\.$/, '')
}

function notes({ body, variables, verb, method }: Binding, { authorize }: Policy): string[] {
  const { methodKind } = method.desc
  const set = variables.map(({ path }) => `\`${path.name}\``).join(', ')
  return [
    verb === '*' ? 'Every method is served alike.' : '',
    body === '*' && set !== '' ? `The path sets ${set}, whatever the body says.` : '',
    body === undefined ? '' : requestNotes[methodKind],
    methodKind === 'unary' ? '' : socketNote,
    ...describeAuthorization(authorize).map((need) => `Needs ${need}.`),
  ].filter((note) => note !== '')
}

const requestNotes = {
  unary: '',
  server_streaming: '',
  client_streaming:
    'Takes a stream: one message after another, as an array or as lines, each passed on when it comes.',
  bidi_streaming:
    'Takes a stream: one message after another, as an array or as lines. Answers may come while it is still being sent.',
} as const

const socketNote =
  'Also over a WebSocket: a GET of the same path with Upgrade, one JSON message in each text message, both ways; an empty one ends the request.'

function responseText({ method: { desc } }: Binding): string {
  if (desc.methodKind !== 'server_streaming' && desc.methodKind !== 'bidi_streaming') return 'The answer.'
  return 'The answers, each sent when it comes: an array, or lines when the client accepts those. A late error is the last.'
}

function security({ auth, authorize }: Policy): Schema[] {
  const either = [{ apiKey: [] }, { bearer: [] }]
  if (auth === 'none') return []
  return auth === 'optional' && !asksForSomething(authorize) ? [...either, {}] : either
}
