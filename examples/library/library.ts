import { type Book, initialBooks, type Shelf, shelves } from './book.ts'
import { type FieldViolation, invalidArgument, notFound } from './rpc-error.ts'

/** A `library.v1.ListBooksRequest`. */
export interface ListBooksRequest {
  readonly shelf: string
  readonly pageSize: number
  readonly pageToken: string
  readonly genre: readonly (string | number)[]
}

/** A `library.v1.ListBooksResponse`. */
export interface ListBooksResponse {
  readonly books: readonly Book[]
  readonly nextPageToken: string
}

/** A `library.v1.FindBooksRequest`. */
export interface FindBooksRequest {
  readonly ids: readonly string[]
  readonly authors: readonly string[]
}

/** The books in memory. Every method throws an `RpcError` for a shelf or book that is not there. */
export class Library {
  readonly #books = new Map(initialBooks.map((book) => [book.id, book]))
  #nextId = 100

  /** All shelves. */
  shelves(): readonly Shelf[] {
    return shelves
  }

  /** All books of a shelf, by ascending id. */
  booksOf(shelf: string): readonly Book[] {
    if (!shelves.some(({ id }) => id === shelf)) throw notFound('shelf', shelf)
    return [...this.#books.values()].filter((book) => book.shelf === shelf).sort(byId)
  }

  /** One page. The token is the last id of the page before, so that it survives what comes and goes. */
  list(request: ListBooksRequest): ListBooksResponse {
    const { shelf, pageSize, genre } = request
    const violations: FieldViolation[] = []
    if (pageSize < 0 || pageSize > 100) {
      violations.push({ field: 'page_size', description: 'must be 0 to 100' })
    }
    const after = Buffer.from(request.pageToken || 'MA', 'base64url').toString()
    if (!/^\d{1,19}$/.test(after)) {
      violations.push({ field: 'page_token', description: 'is not one that this service gave out' })
    }
    if (violations.length > 0) throw invalidArgument(violations)

    const rest = this.booksOf(shelf)
      .filter((book) => BigInt(book.id) > BigInt(after))
      .filter((book) => genre.length === 0 || genre.includes(book.genre))
    const books = rest.slice(0, pageSize || 10)
    const last = books.at(-1)
    const isLastPage = books.length === rest.length || last === undefined
    return { books, nextPageToken: isLastPage ? '' : Buffer.from(last.id).toString('base64url') }
  }

  /** One book; shelf `0` stands for any. */
  get({ shelf, book: id }: { shelf: string; book: string }): Book {
    const book = this.#books.get(id)
    if (!book || (shelf !== '0' && shelf !== book.shelf)) throw notFound('book', id)
    return book
  }

  /** The books with these ids, and those of these authors; what is not there is left out. */
  find({ ids, authors }: FindBooksRequest): { books: readonly Book[] } {
    const books = [...this.#books.values()]
    return { books: books.filter(({ id, author }) => ids.includes(id) || authors.includes(author)) }
  }

  /** Keeps a new book under an id of its own. Throws INVALID_ARGUMENT for a bad title or rating. */
  create({ shelf, book }: { shelf: string; book: Book | null }): Book {
    const violations: FieldViolation[] = []
    const title = book?.title.trim() ?? ''
    if (title.length < 1 || title.length > 500) {
      violations.push({ field: 'book.title', description: 'must have 1 to 500 characters' })
    }
    const rating = book?.rating ?? 0
    if (!(rating >= 0 && rating <= 5)) {
      violations.push({ field: 'book.rating', description: 'must be 0 to 5' })
    }
    if (!book || violations.length > 0) throw invalidArgument(violations)
    this.booksOf(shelf)
    const created = { ...book, id: String(this.#nextId++), shelf }
    this.#books.set(created.id, created)
    return created
  }

  /** Takes a book away; shelf `0` stands for any. */
  delete(request: { shelf: string; book: string }): void {
    this.#books.delete(this.get(request).id)
  }
}

function byId(a: Book, b: Book): number {
  return Number(BigInt(a.id) - BigInt(b.id))
}
