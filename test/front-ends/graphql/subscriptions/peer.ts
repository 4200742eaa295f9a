import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { type ClientOptions, WebSocket } from 'ws'

/** The client's end of a WebSocket, by hand: it may say anything. */
export class Peer {
  readonly socket: WebSocket
  /** Code and reason. */
  readonly closed: Promise<[number, string]>
  readonly #come: unknown[] = []
  #waiting: ((message: unknown) => void)[] = []

  constructor(socket: WebSocket) {
    this.socket = socket
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => resolve([code, reason.toString()]))
    })
    socket.on('error', () => {})
    socket.on('message', (data) => {
      const message: unknown = JSON.parse(String(data))
      const waiting = this.#waiting.shift()
      if (waiting === undefined) this.#come.push(message)
      else waiting(message)
    })
  }

  /** Opens a connection, which says nothing yet. */
  static async open(t: TestContext, url: string, options: ClientOptions = {}): Promise<Peer> {
    const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws', {
      ...options,
      // As fetch says it: subgraphs may answer by it, and clients share what they may.
      headers: { 'accept-language': '*', ...options.headers },
    })
    t.after(() => socket.terminate())
    const peer = new Peer(socket)
    await once(socket, 'open')
    return peer
  }

  /** Opens one that may ask. */
  static async connect(t: TestContext, url: string, options: ClientOptions = {}): Promise<Peer> {
    const peer = await Peer.open(t, url, options)
    peer.send({ type: 'connection_init' })
    await peer.read()
    return peer
  }

  send(message: object): void {
    this.socket.send(JSON.stringify(message))
  }

  subscribe(id: string, query: string, variables?: object): void {
    this.send({ id, type: 'subscribe', payload: { query, variables } })
  }

  /** The next message. */
  read(): Promise<unknown> {
    if (this.#come.length > 0) return Promise.resolve(this.#come.shift())
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Everything that was said before has been heard. */
  async roundTrip(): Promise<void> {
    this.send({ type: 'ping' })
    while (((await this.read()) as { type: string }).type !== 'pong');
  }
}

/** An answer that is read piece by piece. */
export interface Streamed {
  readonly response: Response
  /** Reads on until the text matches; resolves with all that came so far. */
  until(pattern: RegExp): Promise<string>
  /** All of it. */
  rest(): Promise<string>
  leave(): void
}

/** Asks by POST, for an answer in pieces. */
export async function readEvents(
  t: TestContext,
  url: string,
  query: string,
  accept: string,
  headers: Record<string, string> = {},
): Promise<Streamed> {
  const abort = new AbortController()
  t.after(() => abort.abort())
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept, ...headers },
    body: JSON.stringify({ query }),
    signal: abort.signal,
  })
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  const decoder = new TextDecoder()
  let text = ''
  const more = async (): Promise<boolean> => {
    const { done, value } = await reader.read()
    if (!done) text += decoder.decode(value, { stream: true })
    return !done
  }
  return {
    response,
    until: async (pattern) => {
      while (!pattern.test(text)) if (!(await more())) throw new Error(`ended without ${pattern}: ${text}`)
      return text
    },
    rest: async () => {
      while (await more());
      return text
    },
    leave: () => abort.abort(),
  }
}
