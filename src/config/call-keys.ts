import { z } from 'zod'
import { headerProblem } from '../core/header-changes.ts'
import { valueProblem } from '../core/header-options.ts'
import type { ValueName } from '../core/text-template.ts'
import { jsonWithTexts, pathText } from './text-keys.ts'

/** Keys of an HTTP call that the gateway makes itself; `own` says which names of values only its place knows. */
export function restCallKeys(own: (name: ValueName) => boolean) {
  return {
    method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']).default('GET').describe('HTTP method.'),
    path: pathText(own).describe('Path at the upstream; values may stand in it.'),
    headers: z
      .record(z.string(), z.string())
      .default({})
      .superRefine((headers, context) => {
        for (const [name, text] of Object.entries(headers)) {
          const message = headerProblem('request', 'set', name) ?? valueProblem(text, own)
          if (message !== undefined) context.addIssue({ code: 'custom', path: [name], message })
        }
      })
      .describe(
        "Headers, beside those that every call has; of the client's own only Accept-Language goes along.",
      ),
    body: jsonWithTexts(own).optional().describe('JSON with values in its texts.'),
    answer: z
      .enum(['json', 'text'])
      .default('json')
      .describe('What is expected; an answer of another kind is a failure. text becomes a JSON text.'),
  }
}

/** Keys of a gRPC call that the gateway makes itself. */
export function grpcCallKeys(own: (name: ValueName) => boolean) {
  return {
    method: z
      .string()
      .regex(/^[\w.]+\/\w+$/, 'is no method: write library.v1.LibraryService/GetBook')
      .describe('A unary method of one of grpc.services, as package.Service/Method.'),
    request: z
      .record(z.string(), jsonWithTexts(own))
      .default({})
      .describe('The message as ProtoJSON with values in its texts.'),
  }
}

/** For `superRefine`. */
export function refuseBodyOfGet(
  { method, body }: { readonly method: string; readonly body?: unknown },
  context: z.RefinementCtx,
): void {
  if (method === 'GET' && body !== undefined)
    context.addIssue({ code: 'custom', path: ['body'], message: 'GET has no body' })
}
