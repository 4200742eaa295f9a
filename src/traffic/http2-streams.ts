import { subscribe } from 'node:diagnostics_channel'
import { type ClientHttp2Stream, constants } from 'node:http2'

/**
 * Tells the stream on which a request of HTTP/2 goes out. Called while the HTTP client starts the request: it opens the stream next, and has
 * no word for it.
 */
export function onNextStream(take: (stream: ClientHttp2Stream) => void): void {
  if (!subscribed) subscribe('http2.client.stream.created', created)
  subscribed = true
  waiting = take
}

/** Whether an answer that seems to be over was broken off: undici 8.12 takes RST_STREAM with CANCEL for an end (RFC 9113 section 8.1). */
export function wasCut(stream: ClientHttp2Stream | undefined): boolean {
  if (stream === undefined || stream.rstCode === constants.NGHTTP2_NO_ERROR) return false
  // Who has answered may refuse the rest of the request in whatever words.
  return stream.writableFinished
}

let subscribed = false
let waiting: ((stream: ClientHttp2Stream) => void) | undefined

function created(message: unknown): void {
  const take = waiting
  waiting = undefined
  take?.((message as { readonly stream: ClientHttp2Stream }).stream)
}
