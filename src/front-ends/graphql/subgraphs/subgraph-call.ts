import { Readable } from 'node:stream'
import type { CallLimits } from '../../../core/call-limits.ts'
import type { Exchange } from '../../../core/exchange.ts'
import { type BufferedAnswer, BufferedCall } from '../../../traffic/buffered-call.ts'
import type { Destination } from '../../../traffic/destination.ts'
import { readSubgraphAnswer, type SubgraphAnswer } from './subgraph-answer.ts'

/** One fetch of a query plan. */
export class SubgraphCall extends BufferedCall<SubgraphAnswer> {
  readonly method = 'POST'
  /** Path of the subgraph's GraphQL endpoint. */
  readonly path: string
  /** The GraphQL request as JSON, or as a form with files that can be read once. */
  readonly body: Buffer | Readable
  readonly maxAnswerBytes: number
  /** The last answer as it came; undefined: none did. */
  received: BufferedAnswer | undefined
  answerBytes = 0
  /** Whether it has the answer of another call, and was not sent. */
  shared = false

  constructor(exchange: Exchange, destination: Destination, options: SubgraphCallOptions) {
    const { headers, idempotent, limits, timeoutMs } = options
    const replayable = !(options.body instanceof Readable)
    super(exchange, destination, {
      headers,
      idempotent,
      replayable,
      hedgeable: idempotent && replayable,
      deadlineAt: limits?.deadlineAt,
      ...(timeoutMs === undefined ? undefined : { timeoutMs }),
    })
    this.maxAnswerBytes = Math.min(limits?.maxAnswerBytes ?? maxAnswerBytes, maxAnswerBytes)
    this.path = options.path
    this.body = options.body
  }

  override read(answer: BufferedAnswer): SubgraphAnswer {
    this.received = answer
    this.answerBytes = answer.body.length
    return readSubgraphAnswer(answer.status, answer.headers['content-type'] ?? '', answer.body)
  }
}

/** What a {@link SubgraphCall} is made from. */
export interface SubgraphCallOptions {
  readonly path: string
  readonly body: Buffer | Readable
  /** Flat; owned by the call from here on. */
  readonly headers: string[]
  /** True for queries, false for mutations. */
  readonly idempotent: boolean
  /** Of a stored operation. */
  readonly limits: CallLimits | undefined
  /** Instead of that of the upstream. */
  readonly timeoutMs?: number
}

/** Of one answer of a subgraph, whatever else says more. */
export const maxAnswerBytes = 16 * 1_048_576
