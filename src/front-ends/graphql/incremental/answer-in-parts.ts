import { BREAK, visit } from 'graphql'
import { toGatewayError } from '../../../core/error.ts'
import type { HttpExchange } from '../../../core/http-exchange.ts'
import { essence } from '../../../core/media-type.ts'
import { answerText } from '../answer.ts'
import { noteErrors } from '../client-operations.ts'
import { identifiedErrors, refusalErrors } from '../errors.ts'
import type { AnswerInParts, LaterParts, PartResult } from '../execution/run-parts.ts'
import { weightOf } from '../media-type.ts'
import type { KnownOperation } from '../operation.ts'
import { jsonPart, streamHeaders } from '../streamed-answer.ts'

/** Whether the client takes an answer in parts: it names `multipart/mixed`, and not for subscriptions alone. */
export function takesParts(accept: string | undefined): boolean {
  if (accept === undefined || !accept.includes('multipart/')) return false
  return accept.split(',', 32).some((item) => {
    if (essence(item) !== 'multipart/mixed' || weightOf(item) === 0) return false
    return /;\s*deferSpec=/i.test(item) || !/;\s*subscriptionSpec=/i.test(item)
  })
}

/** Whether something of an operation may be deferred. */
export function defers(operation: KnownOperation): boolean {
  let known = deferring.get(operation)
  if (known === undefined) {
    known = false
    visit(operation.document, {
      Directive: ({ name }) => {
        if (name.value !== 'defer') return undefined
        known = true
        return BREAK
      },
    })
    deferring.set(operation, known)
  }
  return known
}

const deferring = new WeakMap<KnownOperation, boolean>()

/** Answers by parts as they come ("Incremental Delivery over HTTP" of 2022-08-24, by which the clients of Apollo name it). */
export async function answerInParts(x: HttpExchange, { first, rest }: AnswerInParts): Promise<void> {
  x.writeHead(200, headers.slice())
  x.write('---')
  const answer = answerText(x, first).slice(0, -1)
  x.write(part(`${answer},"hasNext":${rest !== undefined}}`))
  if (rest !== undefined) await writeRest(x, rest)
  x.write('--\r\n')
  x.res.end()
}

async function writeRest(x: HttpExchange, rest: LaterParts): Promise<void> {
  try {
    for await (const results of rest) {
      if (x.gone) return
      for (const { errors } of results) noteErrors(x, errors)
      if (results.length > 0)
        x.write(part(`{"incremental":[${results.map((one) => text(x, one)).join()}],"hasNext":true}`))
    }
    x.write(part('{"hasNext":false}'))
  } catch (thrown) {
    const error = toGatewayError(thrown)
    x.error ??= error
    x.write(part(`{"errors":${JSON.stringify(refusalErrors(x, error))},"hasNext":false}`))
  }
}

const headers: readonly string[] = streamHeaders('multipart/mixed; boundary="-"; deferSpec=20220824')

function text(x: HttpExchange, { label, path, data, errors }: PartResult): string {
  const members = [`"path":${JSON.stringify(path)}`, `"data":${data}`]
  if (label !== undefined) members.push(`"label":${JSON.stringify(label)}`)
  if (errors.length > 0) members.push(`"errors":${JSON.stringify(identifiedErrors(x, errors))}`)
  return `{${members.join()}}`
}

function part(body: string): string {
  return jsonPart(body, '-')
}
