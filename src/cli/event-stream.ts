/** One server-sent event (WHATWG HTML, "Server-sent events"), its data read as JSON. */
export interface ServerEvent {
  readonly event: string
  readonly data: unknown
}

/** The events of an answer as they come; ends with it. */
export async function* serverEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true })
    const blocks = text.split(/\r?\n\r?\n/)
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      const event = eventOf(block)
      if (event !== undefined) yield event
    }
  }
}

/** Undefined for a comment, which only keeps the connection. */
function eventOf(block: string): ServerEvent | undefined {
  const lines = block.split(/\r?\n/)
  const field = (name: string): string[] =>
    lines.flatMap((line) =>
      line.startsWith(`${name}:`) ? [line.slice(name.length + 1).replace(/^ /, '')] : [],
    )
  const data = field('data')
  if (data.length === 0) return undefined
  return { event: field('event').at(-1) ?? 'message', data: JSON.parse(data.join('\n')) }
}
