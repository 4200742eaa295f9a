import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  type StatusObject,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { Library } from './library.ts'
import type { LibraryProtos } from './protos.ts'
import { RpcError, type RpcStatus } from './rpc-error.ts'
import { type BookEvent, type WatchBooksRequest, watchBooks } from './watch-books.ts'

/**
 * The methods of `library.v1.LibraryService` over books of their own. Every answer to a call with `x-user-id`
 * starts with the metadata `x-echo-user`, so that one sees what came through.
 */
export function libraryService({ encodeStatus }: LibraryProtos): UntypedServiceImplementation {
  const library = new Library()

  const unary = <Request, Reply>(answer: (request: Request) => Reply): handleUnaryCall<Request, Reply> => {
    return (call, callback) => {
      try {
        echoUser(call)
        callback(null, answer(call.request))
      } catch (error) {
        callback(statusOf(error))
      }
    }
  }

  const watch: handleServerStreamingCall<WatchBooksRequest, BookEvent> = async (call) => {
    try {
      echoUser(call)
      await watchBooks(call, library)
      call.end()
    } catch (error) {
      if (!call.cancelled) call.emit('error', statusOf(error))
    }
  }

  const statusOf = (error: unknown): StatusObject => {
    if (!(error instanceof RpcError)) console.error(error)
    const failure = error instanceof RpcError ? error.status : internal
    const metadata = new Metadata()
    metadata.set('grpc-status-details-bin', encodeStatus(failure))
    return { code: failure.code, details: failure.message, metadata }
  }

  return {
    ListShelves: unary(() => ({ shelves: library.shelves() })),
    ListBooks: unary(library.list.bind(library)),
    GetBook: unary(library.get.bind(library)),
    FindBooks: unary(library.find.bind(library)),
    CreateBook: unary(library.create.bind(library)),
    DeleteBook: unary((request: { shelf: string; book: string }) => {
      library.delete(request)
      return {}
    }),
    WatchBooks: watch,
  }
}

const internal: RpcStatus = { code: status.INTERNAL, message: 'Something went wrong.', details: [] }

interface Echoing {
  readonly metadata: Metadata
  sendMetadata(metadata: Metadata): void
}

function echoUser(call: Echoing): void {
  const [userId] = call.metadata.get('x-user-id')
  if (userId === undefined) return
  const metadata = new Metadata()
  metadata.set('x-echo-user', userId)
  call.sendMetadata(metadata)
}
