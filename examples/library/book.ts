/** A `google.protobuf.Timestamp`. */
export interface Timestamp {
  readonly seconds: string
  readonly nanos: number
}

/** A `library.v1.Shelf`. */
export interface Shelf {
  readonly id: string
  readonly theme: string
}

/** A `library.v1.Book`; ids are int64 and therefore strings. */
export interface Book {
  readonly id: string
  readonly shelf: string
  readonly title: string
  readonly author: string
  /** A name of the enum, or the number of one that we do not know. */
  readonly genre: string | number
  readonly published?: Timestamp | null
  readonly tags: readonly string[]
  readonly attributes: Readonly<Record<string, string>>
  readonly rating?: number
  readonly cover: Uint8Array
}

/** The shelves of the demo; the third is empty. */
export const shelves: readonly Shelf[] = [
  { id: '1', theme: 'Machines' },
  { id: '2', theme: 'Letters' },
  { id: '3', theme: 'New arrivals' },
]

/** The books of the demo. One id is past 2^53, to show that no door rounds it. */
export const initialBooks: readonly Book[] = [
  {
    ...book({ id: '1', shelf: '1', title: 'Notes on the Analytical Engine', author: 'Ada Lovelace' }),
    genre: 'SCIENCE',
    published: timestampOf('1843-09-01T00:00:00Z'),
    tags: ['engine', 'bernoulli'],
    attributes: { language: 'en', translator: 'Ada Lovelace' },
    rating: 4.9,
    cover: Buffer.from('R0lGODlhAQABAAAAACw=', 'base64'),
  },
  {
    ...book({ id: '2', shelf: '1', title: 'Computing Machinery and Intelligence', author: 'Alan Turing' }),
    genre: 'SCIENCE',
    published: timestampOf('1950-10-01T00:00:00Z'),
    tags: ['imitation game'],
  },
  {
    ...book({ id: '3', shelf: '1', title: 'Erewhon', author: 'Samuel Butler' }),
    genre: 'FICTION',
    published: timestampOf('1872-03-01T00:00:00Z'),
    rating: 0,
  },
  {
    ...book({ id: '4', shelf: '2', title: "Childe Harold's Pilgrimage", author: 'Lord Byron' }),
    genre: 'POETRY',
    published: timestampOf('1812-03-10T00:00:00Z'),
  },
  {
    ...book({ id: '9007199254740993', shelf: '2', title: 'The Histories', author: 'Ἡρόδοτος' }),
    genre: 'HISTORY',
    attributes: { language: 'grc' },
  },
]

/** The instant of an RFC 3339 text, or of now. */
export function timestampOf(text?: string): Timestamp {
  const ms = text === undefined ? Date.now() : Date.parse(text)
  const seconds = Math.floor(ms / 1_000)
  return { seconds: String(seconds), nanos: (ms - seconds * 1_000) * 1_000_000 }
}

function book(fields: Pick<Book, 'id' | 'shelf' | 'title' | 'author'>): Book {
  return { ...fields, genre: 'GENRE_UNSPECIFIED', tags: [], attributes: {}, cover: Buffer.alloc(0) }
}
