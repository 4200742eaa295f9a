import { asksForSomething } from '../core/authorization.ts'
import type { Policy } from '../core/route.ts'
import type { Book } from './book.ts'
import { type Json, ref } from './json.ts'

/** What decides which refusals an operation can meet. */
export interface RefusalFacts {
  readonly policy: Policy
  readonly hasBody: boolean
  readonly hasVariables: boolean
  /** Whether somebody else is asked to answer. */
  readonly calls: boolean
}

/** References to the answers that the gateway itself may give, as problem details (RFC 9457); their components are noted in `book`. */
export function refusals(book: Book, { policy, hasBody, hasVariables, calls }: RefusalFacts): Json {
  const applies: Readonly<Record<string, boolean>> = {
    '400': true,
    '401': policy.auth !== 'none',
    '403': asksForSomething(policy.authorize),
    '404': hasVariables,
    '413': hasBody,
    '429': true,
    '502': calls,
    '503': true,
    '504': calls,
  }
  const statuses = Object.keys(answers).filter((status) => applies[status] === true)
  noteProblem(book)
  return Object.fromEntries(
    statuses.map((status) => {
      const { name, ...answer } = answers[status as keyof typeof answers]
      if (!book.hasComponent('responses', name))
        book.setComponent('responses', name, { ...answer, content: problemContent })
      return [status, ref('responses', name)]
    }),
  )
}

const problemName = 'Problem'
const problemContent = { 'application/problem+json': { schema: ref('schemas', problemName) } }

function noteProblem(book: Book): void {
  if (book.hasComponent('schemas', problemName)) return
  book.setComponent('schemas', problemName, problemSchema)
  for (const [name, header] of Object.entries(headers)) book.setComponent('headers', name, header)
}

const headers: Json = {
  'Retry-After': {
    description: 'Seconds until another try makes sense, when that is known.',
    schema: { type: 'integer', minimum: 0 },
  },
  RateLimit: {
    description: 'What is left of each limit (r), and seconds until more is (t): `"name";r=0;t=15`.',
    schema: { type: 'string' },
  },
  'RateLimit-Policy': {
    description: 'The limits: requests (q) in seconds (w): `"name";q=100;w=60`.',
    schema: { type: 'string' },
  },
  'WWW-Authenticate': {
    description: 'How callers may prove who they are (RFC 9110 section 11.6.1).',
    schema: { type: 'string' },
  },
}

const retryAfter = { 'Retry-After': ref('headers', 'Retry-After') }
const limits = {
  ...retryAfter,
  RateLimit: ref('headers', 'RateLimit'),
  'RateLimit-Policy': ref('headers', 'RateLimit-Policy'),
}

const answers = {
  '400': { name: 'BadRequest', description: 'What was sent cannot be used.' },
  '401': {
    name: 'Unauthorized',
    description: 'The credentials are missing or not valid.',
    headers: { 'WWW-Authenticate': ref('headers', 'WWW-Authenticate') },
  },
  '403': { name: 'Forbidden', description: 'The caller may not do this.' },
  '404': { name: 'NotFound', description: 'What the path names is not there.' },
  '413': { name: 'ContentTooLarge', description: 'The body is larger than is taken here.' },
  '429': { name: 'TooManyRequests', description: 'Too many requests.', headers: limits },
  '502': { name: 'BadGateway', description: 'The backend could not be reached, or answered nonsense.' },
  '503': { name: 'ServiceUnavailable', description: 'Not available now.', headers: retryAfter },
  '504': { name: 'GatewayTimeout', description: 'The backend did not answer in time.' },
} as const

const problemSchema: Json = {
  type: 'object',
  description: 'A refusal of the gateway (RFC 9457).',
  properties: {
    type: { type: 'string', description: '`urn:trivium:error:` and the reason.' },
    title: { type: 'string' },
    status: { type: 'integer', description: 'The HTTP status.' },
    detail: { type: 'string', description: 'What was wrong with this request.' },
    instance: { type: 'string', description: 'The path that was asked for.' },
    code: { type: 'string', description: 'The number of the error: F40101.' },
    reason: { type: 'string', description: 'A stable word: RATE_LIMITED.' },
    requestId: { type: 'string', description: 'What to name when asking for help.' },
    traceId: { type: 'string', description: 'The same for tracing (W3C Trace Context).' },
    retryAfter: { type: 'integer', description: 'Seconds until another try makes sense.' },
    errors: {
      type: 'array',
      description: 'What does not fit, one by one.',
      items: {
        type: 'object',
        properties: { field: { type: 'string' }, detail: { type: 'string' } },
      },
    },
  },
  required: ['type', 'title', 'status', 'detail', 'code', 'reason'],
}
