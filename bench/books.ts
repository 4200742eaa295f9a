// Books in ProtoJSON: what the gateway is sent, and what the codecs turn about.

/** As a client sends it; about 300 bytes. */
export const newBook = {
  title: 'Notes on the Analytical Engine',
  author: 'Ada Lovelace',
  genre: 'SCIENCE',
  published: '1843-09-01T00:00:00Z',
  tags: ['engine', 'bernoulli'],
  attributes: { language: 'en', translator: 'Ada Lovelace' },
  rating: 4.9,
  cover: 'R0lGODlhAQABAAAAACw=',
}

const praise =
  'The Engine has no pretensions to "originate" anything. It can do whatever we know how to order it to perform.\n' +
  'It can follow analysis; but it has no power of anticipating any relations or truths, says reader number '

/** As a client sends it, 10 KB: many short values, a few dozen longer ones with quotes and line breaks in them, some bytes. */
export const bigBook = {
  ...newBook,
  tags: Array.from({ length: 80 }, (_, i) => `subject-${i}`),
  attributes: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`review-${i}`, praise + i])),
  cover: Buffer.alloc(900, 'GIF89a').toString('base64'),
}
