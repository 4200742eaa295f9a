import { toGatewayError } from '../../../core/error.ts'
import type { HttpExchange } from '../../../core/http-exchange.ts'
import { essence } from '../../../core/media-type.ts'
import { answerText } from '../answer.ts'
import { identifiedErrors, refusalErrors } from '../errors.ts'
import type { AnswerInParts, PartResult } from '../execution/run-parts.ts'

/** Whether the client takes an answer in parts: it names `multipart/mixed`, and not for subscriptions alone. */
export function takesParts(accept: string | undefined): boolean {
  if (accept === undefined || !accept.includes('multipart/')) return false
  return accept.split(',', 32).some((item) => {
    if (essence(item) !== 'multipart/mixed' || /;\s*q=0(?:\.0*)?\s*(?:;|$)/i.test(item)) return false
    return /;\s*deferSpec=/i.test(item) || !/;\s*subscriptionSpec=/i.test(item)
  })
}

/** Answers by parts as they come ("Incremental Delivery over HTTP" of 2022-08-24, by which the clients of Apollo name it). */
export async function serveParts(x: HttpExchange, { first, rest }: AnswerInParts): Promise<void> {
  x.writeHead(200, [
    'Content-Type',
    'multipart/mixed; boundary="-"; deferSpec=20220824',
    'Cache-Control',
    'no-cache',
    // Some proxies collect what they are not told to pass on at once.
    'X-Accel-Buffering',
    'no',
    'Vary',
    'Accept',
  ])
  x.write('---')
  x.write(part(`${answerText(x, first).slice(0, -1)},"hasNext":true}`))
  try {
    for await (const results of rest) {
      if (x.gone) return
      if (results.length > 0)
        x.write(part(`{"incremental":[${results.map((one) => text(x, one)).join()}],"hasNext":true}`))
    }
    x.write(part('{"hasNext":false}'))
  } catch (thrown) {
    const error = toGatewayError(thrown)
    x.error ??= error
    x.write(part(`{"errors":${JSON.stringify(refusalErrors(x, error))},"hasNext":false}`))
  }
  x.write('--\r\n')
  x.res.end()
}

function text(x: HttpExchange, { label, path, data, errors }: PartResult): string {
  const members = [`"path":${JSON.stringify(path)}`, `"data":${data}`]
  if (label !== undefined) members.push(`"label":${JSON.stringify(label)}`)
  if (errors.length > 0) members.push(`"errors":${JSON.stringify(identifiedErrors(x, errors))}`)
  return `{${members.join()}}`
}

/** A boundary follows each part, for clients that wait for it. */
function part(body: string): string {
  return `\r\nContent-Type: application/json; charset=utf-8\r\n\r\n${body}\r\n---`
}
