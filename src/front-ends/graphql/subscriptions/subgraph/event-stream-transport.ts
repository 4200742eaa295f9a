import type { IncomingHttpHeaders } from 'node:http'
import type { Client, Dispatcher } from 'undici'
import type { GatewayError } from '../../../../core/error.ts'
import { isRecord } from '../../../../core/is-record.ts'
import { essence } from '../../../../core/media-type.ts'
import type { Attempt } from '../../../../traffic/attempt.ts'
import type { Transport } from '../../../../traffic/call.ts'
import { CallEnd } from './call-end.ts'
import { EventStreamReader } from './event-stream-reader.ts'
import { maxEventBytes, SubgraphEvent, type SubscriptionCall } from './subscription-call.ts'

/**
 * One subscription as server-sent events, in the "distinct connections mode" of GraphQL over SSE (github.com/enisdenjo/graphql-sse, PROTOCOL.md),
 * on a connection of its own. Settles when it is over.
 */
export const eventStreamTransport: Transport<SubscriptionCall, void> = {
  send(attempt: Attempt<SubscriptionCall>): Promise<void> {
    return new Promise((resolve, reject) => new EventStream(attempt, resolve, reject).start())
  },
}

class EventStream implements Dispatcher.DispatchHandler {
  readonly #attempt: Attempt<SubscriptionCall>
  readonly #client: Client
  readonly #end: CallEnd
  readonly #reader: EventStreamReader
  /** Of an answer that is one JSON document. */
  #json: Buffer[] | undefined
  #jsonBytes = 0

  constructor(
    attempt: Attempt<SubscriptionCall>,
    resolve: () => void,
    reject: (error: GatewayError) => void,
  ) {
    this.#attempt = attempt
    this.#client = attempt.endpoint.http.newClient()
    this.#end = new CallEnd(attempt, { resolve, reject, close: () => this.#close() })
    this.#reader = new EventStreamReader(maxEventBytes, (name, data) => this.#take(name, data))
  }

  start(): void {
    const { path, headers, body } = this.#attempt.call
    this.#attempt.onCancel((error) => this.#end.fail(error))
    if (this.#end.over) return
    const request = { path, method: 'POST', headers, body, headersTimeout: 0, bodyTimeout: 0 } as const
    this.#client.dispatch(request, this)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#end.sent()
    if (this.#end.over) controller.abort(new Error('The subscription is over.'))
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    if (status < 200) return
    const type = essence(headers['content-type'] ?? '')
    if (status >= 500) this.#end.refused(status)
    else if (status === 200 && type === 'text/event-stream') this.#end.opened(controller)
    else if (type === 'application/json' || type === 'application/graphql-response+json') this.#json = []
    else if (status !== 200) this.#end.refused(status)
    else this.#end.garbage(`content type "${type.slice(0, 100)}"`)
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#end.over) return
    try {
      if (this.#json === undefined) this.#reader.push(chunk)
      else this.#keep(chunk, this.#json)
    } catch (cause) {
      this.#end.garbage(cause)
    }
  }

  onResponseEnd(): void {
    if (this.#json === undefined) this.#end.cut('the stream ended without "complete"')
    else this.#answeredAtOnce(Buffer.concat(this.#json).toString())
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#end.failBy(error)
  }

  #take(name: string, data: string): void {
    if (this.#end.over) return
    if (name === 'complete') {
      this.#end.complete()
    } else if (name === 'next') {
      const value: unknown = JSON.parse(data)
      if (!isRecord(value)) throw new Error('an event that is no object')
      this.#end.event(new SubgraphEvent(data, { value }))
    }
  }

  #keep(chunk: Buffer, into: Buffer[]): void {
    this.#jsonBytes += chunk.length
    if (this.#jsonBytes > maxEventBytes) throw new Error('an answer that is too large')
    into.push(chunk)
  }

  /** How a subgraph refuses an operation: by its errors as one answer, as to any request. */
  #answeredAtOnce(text: string): void {
    if (this.#end.over) return
    try {
      const value: unknown = JSON.parse(text)
      if (!isRecord(value)) throw new Error('an answer that is no object')
      this.#end.opened(noFlow)
      this.#end.event(new SubgraphEvent(text, { value }))
      this.#end.complete()
    } catch (cause) {
      this.#end.garbage(cause)
    }
  }

  #close(): void {
    void this.#client.destroy()
  }
}

const noFlow = { pause: () => {}, resume: () => {} }
