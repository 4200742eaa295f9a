import { GatewayError } from '../../../core/error.ts'
import type { Exchange } from '../../../core/exchange.ts'
import { type AnswerType, answerType } from '../media-type.ts'
import { streamFormat } from '../subscriptions/client/stream-format.ts'

/**
 * The media type of an answer; checked before anything runs: a mutation must not be done and then be answered 406. Throws NOT_ACCEPTABLE for a
 * client that takes neither GraphQL nor a stream of it.
 */
export function acceptable(x: Exchange): AnswerType {
  const type = spoken(x)
  if (type !== undefined) return type
  throw new GatewayError(
    'NOT_ACCEPTABLE',
    'Answers are application/json or application/graphql-response+json.',
  )
}

/** The media type of a refusal, whatever the client takes. */
export function refusalType(x: Exchange): AnswerType {
  return spoken(x) ?? 'application/json'
}

/** Who takes streams only gets to know by the other words that it is none. */
function spoken(x: Exchange): AnswerType | undefined {
  const accept = x.header('accept')
  const type = answerType(accept)
  if (type !== undefined || streamFormat(accept) === undefined) return type
  return 'application/graphql-response+json'
}
