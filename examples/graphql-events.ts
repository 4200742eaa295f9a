import type { ServerResponse } from 'node:http'
import type { ExecutionResult } from 'graphql'

/** Answers by server-sent events, as graphql-sse has them: `next` for each result, `complete` after the last. Ends when nobody waits any more. */
export async function sendEvents(
  response: ServerResponse,
  results: AsyncIterable<ExecutionResult>,
  gone: AbortSignal,
): Promise<undefined> {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  response.flushHeaders()
  try {
    for await (const result of results) response.write(`event: next\ndata: ${JSON.stringify(result)}\n\n`)
    response.end('event: complete\ndata:\n\n')
  } catch (error) {
    response.end()
    if (!gone.aborted) throw error
  }
}
