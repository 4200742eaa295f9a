import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js'
import { Server, ServerCredentials } from '@grpc/grpc-js'
import { type Book, initialBooks } from '../../examples/library/book.ts'
import { loadProtos } from '../../examples/library/protos.ts'

// GetBook and CreateBook of library.v1.LibraryService on PORT. The demo's own library keeps every book that it is given and
// sorts them each time, which no benchmark survives; this one keeps nothing.

interface Asked {
  readonly shelf: string
  readonly book: Book
}

const book = initialBooks[0]
const { library } = await loadProtos()
const server = new Server()
server.addService(library, {
  GetBook: (_: unknown, reply: sendUnaryData<Book>) => reply(null, book),
  CreateBook: ({ request }: ServerUnaryCall<Asked, Book>, reply: sendUnaryData<Book>) =>
    reply(null, { ...request.book, id: '100', shelf: request.shelf }),
})
server.bindAsync(`127.0.0.1:${process.env.PORT}`, ServerCredentials.createInsecure(), (error) => {
  if (error !== null) throw error
})
