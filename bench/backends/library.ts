import type { ServerUnaryCall, ServerWritableStream, sendUnaryData } from '@grpc/grpc-js'
import { Server, ServerCredentials } from '@grpc/grpc-js'
import { type Book, initialBooks, type Timestamp, timestampOf } from '../../examples/library/book.ts'
import { loadProtos } from '../../examples/library/protos.ts'

// GetBook, CreateBook and WatchBooks of library.v1.LibraryService on PORT. The demo's own library keeps every book that it is given and
// sorts them each time, which no benchmark survives; this one keeps nothing, and sends the events of a stream without a pause.

interface Asked {
  readonly shelf: string
  readonly book: Book
}

interface Watched {
  readonly count: number
}

interface Event {
  readonly number: number
  readonly book: Book | undefined
  readonly at: Timestamp
}

const book = initialBooks[0]
/** Always the same, so that answers can be compared. */
const at = timestampOf('2026-01-01T00:00:00Z')
const { library } = await loadProtos()
const server = new Server()
server.addService(library, {
  GetBook: (_: unknown, reply: sendUnaryData<Book>) => reply(null, book),
  CreateBook: ({ request }: ServerUnaryCall<Asked, Book>, reply: sendUnaryData<Book>) =>
    reply(null, { ...request.book, id: '100', shelf: request.shelf }),
  WatchBooks: (call: ServerWritableStream<Watched, Event>) => {
    for (let number = 1; number <= call.request.count; number++) call.write({ number, book, at })
    call.end()
  },
})
server.bindAsync(`127.0.0.1:${process.env.PORT}`, ServerCredentials.createInsecure(), (error) => {
  if (error !== null) throw error
})
