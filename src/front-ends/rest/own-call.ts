import type { CallLimits } from '../../core/call-limits.ts'
import type { Exchange } from '../../core/exchange.ts'
import { type BufferedAnswer, BufferedCall } from '../../traffic/buffered-call.ts'
import type { Destination } from '../../traffic/destination.ts'
import type { HttpCallOptions } from './compile-call.ts'
import { idempotentMethods } from './proxy-call.ts'

/** What an {@link OwnCall} is made from. */
export interface OwnCallOptions extends CallLimits {
  readonly method: HttpCallOptions['method']
  /** Whether doing it twice is the same as once; undefined: as the method says. */
  readonly idempotent: boolean | undefined
  /** Path and query. */
  readonly path: string
  /** Flat; owned by the call from here on. */
  readonly headers: string[]
  readonly body: Buffer | null
}

/** An HTTP call that the configuration describes, made for a client and not by it. */
export class OwnCall extends BufferedCall<BufferedAnswer> {
  readonly method: HttpCallOptions['method']
  readonly path: string
  readonly body: Buffer | null
  readonly maxAnswerBytes: number

  constructor(x: Exchange, destination: Destination, options: OwnCallOptions) {
    const { method, headers, deadlineAt, idempotent } = options
    super(x, destination, {
      headers,
      idempotent: idempotent ?? idempotentMethods.has(method),
      replayable: true,
      hedgeable: idempotent ?? method === 'GET',
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
