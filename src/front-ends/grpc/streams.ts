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
  /** Around the `google.rpc.Status` of an error that comes after the first message; the body ends with it. */
  readonly beforeError: string
  readonly afterError: string
  /** More headers of the answer, flat. */
  readonly headers: readonly string[]
}

/** Bytes of `google.api.HttpBody` messages, one after another. An error that comes late cannot be written into them. */
export const rawFraming: Framing = {
  contentType: '',
  first: '',
  next: '',
  after: '',
  end: '',
  none: '',
  beforeError: '',
  afterError: '',
  headers: [],
}

const jsonArray: Framing = {
  contentType: 'application/json',
  first: '[',
  next: ',\n',
  after: '',
  end: ']',
  none: '[]',
  beforeError: ',\n{"error":',
  afterError: '}]',
  headers: [],
}

const ndjson: Framing = {
  contentType: 'application/x-ndjson',
  first: '',
  next: '',
  after: '\n',
  end: '',
  none: '',
  beforeError: '{"error":',
  afterError: '}\n',
  headers: [],
}

/** One event for each message: our JSON has no line breaks. Source: WHATWG HTML, "Server-sent events", 9.2.5 and 9.2.6. */
const serverSentEvents: Framing = {
  contentType: 'text/event-stream',
  first: 'data: ',
  next: 'data: ',
  after: '\n\n',
  end: '',
  none: '',
  beforeError: 'event: error\ndata: ',
  afterError: '\n\n',
  headers: ['Cache-Control', 'no-cache'],
}

/** Of equal weight the first wins. */
const offered = [ndjson, serverSentEvents, jsonArray]

/** What the client wants most of NDJSON, server-sent events and a JSON array, which is the default. Weights: RFC 9110 section 12.5.1. */
export function chooseFraming(accept: string | undefined): Framing {
  if (accept === undefined) return jsonArray
  const weights = new Map<string, number>()
  for (const range of accept.toLowerCase().split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim())
    const q = parameters.find((parameter) => parameter.startsWith('q='))
    weights.set(type, q === undefined ? 1 : Number(q.slice(2)))
  }
  let chosen = jsonArray
  let most = 0
  for (const framing of offered) {
    const weight = weights.get(framing.contentType) ?? 0
    if (weight > most) {
      chosen = framing
      most = weight
    }
  }
  return chosen
}
