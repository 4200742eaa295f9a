import type { Copy } from '../../traffic/mirror/copy.ts'
import { HttpCopy, httpCopyTransport } from '../../traffic/mirror/http-copy.ts'
import { KeptBody } from './kept-body.ts'
import type { ProxyCall } from './proxy-call.ts'

/** Has a request copied: at once when it has no body, else when the body went by. Event streams are not copied. */
export function copyRequest(call: ProxyCall, copy: Copy): void {
  const { exchange: x } = call
  if (x.header('accept')?.includes('text/event-stream') === true) copy.skip()
  else if (!x.hasBody) send(call, copy, null)
  else if (x.contentLength !== undefined && x.contentLength > copy.maxBodyBytes) copy.skip()
  else call.copied = new CopiedBody(call, copy)
}

/** The client's body, kept on its way to the upstream until the copy can be sent. */
export class CopiedBody {
  readonly #call: ProxyCall
  readonly #copy: Copy
  readonly #kept: KeptBody

  constructor(call: ProxyCall, copy: Copy) {
    this.#call = call
    this.#copy = copy
    this.#kept = new KeptBody(copy.maxBodyBytes)
  }

  take(chunk: Buffer): void {
    if (this.#kept.take(chunk)) return
    this.#call.copied = undefined
    this.#copy.skip()
  }

  end(): void {
    const { chunks } = this.#kept
    this.#call.copied = undefined
    send(this.#call, this.#copy, chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks))
  }
}

function send(call: ProxyCall, copy: Copy, body: Buffer | null): void {
  const { method, path } = call
  copy.ready(() => new HttpCopy(call, copy, { method, path, body }), httpCopyTransport)
}
