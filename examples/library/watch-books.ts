import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ServerWritableStream } from '@grpc/grpc-js'
import { type Book, type Timestamp, timestampOf } from './book.ts'
import type { Library } from './library.ts'
import { type FieldViolation, invalidArgument, watchAborted } from './rpc-error.ts'

/** A `library.v1.WatchBooksRequest`; `optional` fields that the client left out are undefined. */
export interface WatchBooksRequest {
  readonly shelf: string
  readonly count: number
  readonly intervalMs?: number
  readonly failAfter?: number
}

/** A `library.v1.BookEvent`. */
export interface BookEvent {
  readonly number: number
  readonly book: Book | undefined
  readonly at: Timestamp
}

/**
 * Writes the events that a request asks for, no faster than the client reads, and leaves the stream open.
 * Throws an `RpcError` for a bad request and for `fail_after`; an `AbortError` when the client cancels.
 */
export async function watchBooks(
  call: ServerWritableStream<WatchBooksRequest, BookEvent>,
  library: Library,
): Promise<void> {
  const { shelf, failAfter } = call.request
  const count = readNumber('count', { value: call.request.count, max: 1_000 }) || 3
  const intervalMs = readNumber('interval_ms', { value: call.request.intervalMs ?? 100, max: 60_000 })
  library.booksOf(shelf)

  const cancel = new AbortController()
  const { signal } = cancel
  call.once('cancelled', () => cancel.abort())
  for (let sent = 0; ; sent += 1) {
    if (sent === failAfter) throw watchAborted()
    if (sent === count) return
    if (sent > 0 && intervalMs > 0) await sleep(intervalMs, undefined, { signal })
    const books = library.booksOf(shelf)
    const event = { number: sent + 1, book: books[sent % books.length], at: timestampOf() }
    if (!call.write(event)) await once(call, 'drain', { signal })
  }
}

function readNumber(field: string, { value, max }: { value: number; max: number }): number {
  const violation: FieldViolation = { field, description: `must be 0 to ${max}` }
  if (value < 0 || value > max) throw invalidArgument([violation])
  return value
}
