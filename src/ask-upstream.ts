import type { Exchange } from './core/exchange.ts'
import type { AskUpstream, UpstreamAnswer, UpstreamQuestion } from './pipeline/registry.ts'
import { type BufferedAnswer, BufferedCall, bufferedTransport } from './traffic/buffered-call.ts'
import type { Destination } from './traffic/destination.ts'
import { dispatch } from './traffic/dispatch.ts'
import { forwardingHeaders } from './traffic/forwarding.ts'

/** What plugins ask upstreams by: a call like all others, which `onCall` hooks see, and the log counts. */
export function askUpstream(destination: Destination): AskUpstream {
  return (x, question) =>
    dispatch<Question, UpstreamAnswer>(new Question(x, destination, question), bufferedTransport)
}

/** The call of a plugin's question. */
class Question extends BufferedCall<UpstreamAnswer> {
  readonly method = 'GET'
  readonly path: string
  readonly body = null
  readonly maxAnswerBytes = 65_536

  constructor(x: Exchange, destination: Destination, { path, headers, timeoutMs }: UpstreamQuestion) {
    super(x, destination, {
      headers: [...forwardingHeaders(x.request, ''), ...headers],
      idempotent: true,
      replayable: true,
      hedgeable: true,
      timeoutMs,
    })
    this.path = path
  }

  override read({ status, headers }: BufferedAnswer): UpstreamAnswer {
    return { status, headers }
  }
}
