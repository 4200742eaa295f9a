import { OwnExchange } from './core/own-exchange.ts'
import { type BufferedAnswer, BufferedCall, bufferedTransport } from './traffic/buffered-call.ts'
import type { Destination } from './traffic/destination.ts'
import { dispatch } from './traffic/dispatch.ts'

/** What is asked for, and what may come of it. */
export interface DocumentQuestion {
  /** With its query. */
  readonly path: string
  readonly timeoutMs: number
  readonly maxBytes: number
}

/** Asks an upstream for a document by GET. Redirects are not followed. Rejects with an Error that says why there is none. */
export async function askForDocument(destination: Destination, question: DocumentQuestion): Promise<string> {
  const { status, body } = await dispatch<DocumentCall, BufferedAnswer>(
    new DocumentCall(destination, question),
    bufferedTransport,
  )
  if (status === 200) return body.toString('utf8')
  throw new Error(
    `answered ${status}${status >= 300 && status < 400 ? ', and is not followed elsewhere' : ''}`,
  )
}

class DocumentCall extends BufferedCall<BufferedAnswer> {
  readonly method = 'GET'
  readonly path: string
  readonly body = null
  readonly maxAnswerBytes: number

  constructor(destination: Destination, { path, timeoutMs, maxBytes }: DocumentQuestion) {
    super(new OwnExchange('openapi'), destination, {
      headers: ['accept', 'application/json', 'user-agent', 'trivium'],
      idempotent: true,
      replayable: true,
      hedgeable: false,
      timeoutMs,
    })
    this.path = path
    this.maxAnswerBytes = maxBytes
  }

  override read(answer: BufferedAnswer): BufferedAnswer {
    return answer
  }
}
