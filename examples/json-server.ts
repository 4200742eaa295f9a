import type { ServerResponse } from 'node:http'
import { createServer, type IncomingMessage, type Server, type ServerOptions, STATUS_CODES } from 'node:http'
import { Problem } from './problem.ts'

/** What a handler answers; `body` is written as JSON. */
export interface Reply {
  /** Default 200. */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: unknown
}

/** Answers a request; gives `undefined` when it has answered itself. Throws a `Problem` to refuse. */
export type Handle = (
  request: IncomingMessage,
  response: ServerResponse,
) => Reply | undefined | Promise<Reply | undefined>

/** A node:http server that spells replies, problems and crashes (500, without the reason) as JSON. */
export function createJsonServer(handle: Handle, options: ServerOptions = {}): Server {
  return createServer(options, async (request, response) => {
    try {
      const reply = await handle(request, response)
      if (reply) send(response, reply)
    } catch (error) {
      if (response.headersSent) response.destroy()
      else send(response, replyTo(error))
    } finally {
      // What a refusal has left unread would hold up the next request of the connection.
      request.resume()
    }
  })
}

/** Reads a JSON body. Throws a `Problem`: 415 for another type, 413 past `maxBytes`, 400 for broken JSON. */
export async function readJson(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  if (!/^application\/([\w.-]+\+)?json\s*(;|$)/i.test(request.headers['content-type'] ?? '')) {
    throw new Problem(415, 'Send the body as application/json.')
  }
  const chunks: Buffer[] = []
  let bytes = 0
  // The socket has to outlive a refusal, or the client would never read it.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += chunk.length
    if (bytes > maxBytes) throw new Problem(413, `The body is larger than ${maxBytes} bytes.`)
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString())
  } catch {
    throw new Problem(400, 'The body is not JSON.')
  }
}

function replyTo(error: unknown): Reply {
  if (!(error instanceof Problem)) console.error(error)
  const problem = error instanceof Problem ? error : new Problem(500, 'Something went wrong.')
  const { status, message: detail, more } = problem
  return {
    status,
    headers: { ...more.headers, 'content-type': 'application/problem+json' },
    body: { title: STATUS_CODES[status], status, detail, ...more.members },
  }
}

function send(response: ServerResponse, reply: Reply): void {
  const text = JSON.stringify(reply.body)
  response.writeHead(reply.status ?? 200, {
    'content-type': 'application/json',
    ...reply.headers,
    'content-length': Buffer.byteLength(text),
  })
  response.end(text)
}
