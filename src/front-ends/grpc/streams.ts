/** How the messages of a stream stand in the body of one HTTP answer. */
export interface Framing {
  readonly contentType: string
  /** Before the first message and before each other one; `after` follows each. */
  readonly first: string
  readonly next: string
  readonly after: string
  /** After the last message, or instead of all when there is none. */
  readonly end: string
  readonly none: string
}

/** Bytes of `google.api.HttpBody` messages, one after another. An error that comes late cannot be written into them. */
export const rawFraming: Framing = { contentType: '', first: '', next: '', after: '', end: '', none: '' }

const jsonArray: Framing = {
  contentType: 'application/json',
  first: '[',
  next: ',\n',
  after: '',
  end: ']',
  none: '[]',
}

const ndjson: Framing = {
  contentType: 'application/x-ndjson',
  first: '',
  next: '',
  after: '\n',
  end: '',
  none: '',
}

/** NDJSON when the client wants it at least as much as JSON, else a JSON array. Weights: RFC 9110 section 12.5.1. */
export function chooseFraming(accept: string | undefined): Framing {
  if (accept === undefined) return jsonArray
  const weights = new Map<string, number>()
  for (const range of accept.toLowerCase().split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim())
    const q = parameters.find((parameter) => parameter.startsWith('q='))
    weights.set(type, q === undefined ? 1 : Number(q.slice(2)))
  }
  const lines = weights.get('application/x-ndjson') ?? 0
  return lines > 0 && lines >= (weights.get('application/json') ?? 0) ? ndjson : jsonArray
}
