import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'

export interface Events<Data> {
  /** The next event; rejects when there is none any more. */
  next(): Promise<{ readonly event: string; readonly data: Data }>
  /** True when the stream came to its end, false when it broke off. */
  readonly ended: Promise<boolean>
  /** Leaves. */
  close(): void
}

/** Listens to server-sent events, from when the head of the answer is there; leaves with its test. */
export async function readEvents<Data>(
  t: TestContext,
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Events<Data>> {
  const controller = new AbortController()
  t.after(() => controller.abort())
  const response = await fetch(url, { headers, signal: controller.signal })
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('content-type'), 'text/event-stream')
  const there: { event: string; data: Data }[] = []
  const waiting: PromiseWithResolvers<{ event: string; data: Data }>[] = []
  const read = async (): Promise<void> => {
    let text = ''
    const decoder = new TextDecoder()
    for await (const chunk of response.body as ReadableStream<Uint8Array>) {
      text += decoder.decode(chunk, { stream: true })
      const blocks = text.split('\n\n')
      text = blocks.pop() ?? ''
      for (const block of blocks) {
        const event = /^event: (.*)$/m.exec(block)?.[1]
        const data = /^data: (.*)$/m.exec(block)?.[1]
        if (event === undefined || data === undefined) continue
        const told = { event, data: JSON.parse(data) as Data }
        const next = waiting.shift()
        if (next === undefined) there.push(told)
        else next.resolve(told)
      }
    }
  }
  const ended = read().then(
    () => true,
    () => false,
  )
  void ended.then(() => {
    for (const one of waiting) one.reject(new Error('the stream is over'))
  })
  return {
    ended,
    next() {
      const told = there.shift()
      if (told !== undefined) return Promise.resolve(told)
      const coming = Promise.withResolvers<{ event: string; data: Data }>()
      waiting.push(coming)
      return coming.promise
    },
    close: () => controller.abort(),
  }
}
