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
  /** The GraphQL request as JSON. */
  readonly body: Buffer
  readonly maxAnswerBytes: number
  /** The last answer as it came; undefined: none did. */
  received: BufferedAnswer | undefined
  answerBytes = 0
  /** Whether it has the answer of another call, and was not sent. */
  shared = false

  constructor(exchange: Exchange, destination: Destination, options: SubgraphCallOptions) {
    const { headers, idempotent, limits } = options
    const deadlineAt = limits?.deadlineAt
    super(exchange, destination, { headers, idempotent, replayable: true, hedgeable: idempotent, deadlineAt })
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
  readonly body: Buffer
  /** Flat; owned by the call from here on. */
  readonly headers: string[]
  /** True for queries, false for mutations. */
  readonly idempotent: boolean
  /** Of a stored operation. */
  readonly limits: CallLimits | undefined
}

const maxAnswerBytes = 16 * 1_048_576
