import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type ClientReadableStream,
  credentials,
  makeClientConstructor,
  type ServiceDefinition,
  type ServiceError,
} from '@grpc/grpc-js'
import { load } from '@grpc/proto-loader'
import express, { type Response } from 'express'

// REST to gRPC as most write it by hand, on PORT: Express, express.json, objects of proto-loader, a grpc-js client of the origin
// given as argument. Dates are the one thing that needs a hand's help.

interface Book {
  readonly published?: { readonly seconds: string; readonly nanos: number }
}

interface Event {
  readonly book?: Book
  readonly at?: Book['published']
}

type Callback = (error: ServiceError | null, book?: Book) => void

interface LibraryClient {
  GetBook(request: object, callback: Callback): void
  CreateBook(request: object, callback: Callback): void
  WatchBooks(request: object): ClientReadableStream<Event>
}

const googleProtos = dirname(fileURLToPath(import.meta.resolve('google-proto-files/package.json')))
const definitions = await load('library/v1/library.proto', {
  includeDirs: [resolve(import.meta.dirname, '../../protos'), googleProtos],
  longs: String,
  enums: String,
  bytes: String,
})
const service = definitions['library.v1.LibraryService'] as ServiceDefinition
const Client = makeClientConstructor(service, 'LibraryService')
const address = new URL(process.argv[2] ?? '').host
const library = new Client(address, credentials.createInsecure()) as unknown as LibraryClient

const app = express()
app.use(express.json())
app.get('/v1/shelves/:shelf/books/:book', ({ params: { shelf, book } }, res) => {
  library.GetBook({ shelf, book }, answer(res))
})
app.post('/v1/shelves/:shelf/books', ({ params: { shelf }, body }, res) => {
  library.CreateBook({ shelf, book: { ...body, published: timestampOf(body.published) } }, answer(res))
})
app.get(
  '/v1/shelves/:shelf/books\\:watch',
  ({ params: { shelf }, query: { count }, headers: { accept } }, res) => {
    const lines = accept === 'application/x-ndjson'
    const events = library.WatchBooks({ shelf, count: Number(count) })
    let before = lines ? '' : '['
    res.type(accept ?? 'json')
    res.on('close', () => events.cancel())
    events.on('error', (error) => res.destroy(error))
    events.on('data', ({ at, book, ...rest }: Event) => {
      const event = { ...rest, at: textOf(at), book: { ...book, published: textOf(book?.published) } }
      const roomLeft = res.write(before + JSON.stringify(event))
      before = lines ? '\n' : ','
      if (roomLeft) return
      events.pause()
      res.once('drain', () => events.resume())
    })
    events.on('end', () => res.end(lines ? '\n' : ']'))
  },
)
app.listen(Number(process.env.PORT), '127.0.0.1')

function answer(res: Response): Callback {
  return (error, book) => {
    if (error) res.status(500).json({ code: error.code, message: error.details })
    else res.json({ ...book, published: textOf(book?.published) })
  }
}

function timestampOf(text: string): Book['published'] {
  const ms = Date.parse(text)
  return { seconds: String(Math.floor(ms / 1_000)), nanos: (ms % 1_000) * 1_000_000 }
}

function textOf(timestamp: Book['published']): string | undefined {
  if (timestamp === undefined) return undefined
  return new Date(Number(timestamp.seconds) * 1_000).toISOString().replace('.000Z', 'Z')
}
