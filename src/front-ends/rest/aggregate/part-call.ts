import type { CallLimits } from '../../../core/call-limits.ts'
import type { HttpExchange } from '../../../core/http-exchange.ts'
import { type BufferedAnswer, BufferedCall } from '../../../traffic/buffered-call.ts'
import type { Destination } from '../../../traffic/destination.ts'
import { idempotentMethods } from '../proxy-call.ts'
import type { RestPartOptions } from './rest-part.ts'

/** What a {@link PartCall} is made from. */
export interface PartCallOptions extends CallLimits {
  readonly method: RestPartOptions['method']
  /** Path and query. */
  readonly path: string
  /** Flat; owned by the call from here on. */
  readonly headers: string[]
  readonly body: Buffer | null
}

/** The HTTP call of one part. */
export class PartCall extends BufferedCall<BufferedAnswer> {
  readonly method: RestPartOptions['method']
  readonly path: string
  readonly body: Buffer | null
  readonly maxAnswerBytes: number

  constructor(x: HttpExchange, destination: Destination, options: PartCallOptions) {
    const { method, headers, deadlineAt } = options
    super(x, destination, {
      headers,
      idempotent: idempotentMethods.has(method),
      replayable: true,
      hedgeable: method === 'GET',
      deadlineAt,
    })
    this.method = method
    this.path = options.path
    this.body = options.body
    this.maxAnswerBytes = options.maxAnswerBytes
    const { retry } = this.upstream.options
    if (retry.nonIdempotent || (retry.idempotencyKey && hasKey(headers))) this.idempotent = true
  }

  override read(answer: BufferedAnswer): BufferedAnswer {
    return answer
  }
}

function hasKey(headers: readonly string[]): boolean {
  return headers.some((text, i) => i % 2 === 0 && text.toLowerCase() === 'idempotency-key')
}
