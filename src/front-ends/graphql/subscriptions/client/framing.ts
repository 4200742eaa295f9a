import { jsonPart, streamHeaders } from '../../streamed-answer.ts'
import type { StreamFormat } from './stream-format.ts'

/** How results stand in the body of one HTTP answer. All of them are JSON text. */
export interface Framing {
  /** Of the answer, flat. */
  readonly headers: readonly string[]
  /** Before everything else. */
  readonly opening: string
  result(text: string): string
  /** The last words for a failure: `errors` is a list. */
  failure(errors: string): string
  /** After the last result. */
  readonly complete: string
  /** The last words for a client that should come again; `errors` say why. */
  restart(errors: string): string
  /** What keeps a silent connection. */
  readonly heartbeat: string
}

/**
 * GraphQL over SSE, "distinct connections mode" (github.com/enisdenjo/graphql-sse, PROTOCOL.md). A stream without `complete` at its end is one that
 * clients open again, `EventSource` among them.
 */
const events: Framing = {
  headers: streamHeaders('text/event-stream; charset=utf-8'),
  opening: ':\n\n',
  result: (text) => `event: next\ndata: ${text}\n\n`,
  failure: (errors) => `event: next\ndata: {"errors":${errors}}\n\nevent: complete\ndata:\n\n`,
  complete: 'event: complete\ndata:\n\n',
  restart: () => 'retry: 1000\n\n',
  heartbeat: ':\n\n',
}

/** Apollo's "Multipart HTTP protocol for GraphQL subscriptions", version 1.0. */
const multipart: Framing = {
  headers: streamHeaders('multipart/mixed; boundary="graphql"; subscriptionSpec=1.0'),
  opening: '--graphql',
  result: (text) => part(`{"payload":${text}}`),
  failure: (errors) => `${part(`{"payload":null,"errors":${errors}}`)}--\r\n`,
  complete: '--\r\n',
  restart: (errors) => `${part(`{"payload":null,"errors":${errors}}`)}--\r\n`,
  heartbeat: part('{}'),
}

export const framings: Readonly<Record<StreamFormat, Framing>> = { events, multipart }

function part(text: string): string {
  return jsonPart(text, 'graphql')
}
