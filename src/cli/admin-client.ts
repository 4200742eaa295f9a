import type { CommandInput } from './command.ts'

/** One call of the admin API. */
export interface AdminAsk {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below the path of the admin API: `/keys`. */
  readonly path: string
  /** What is sent as JSON. */
  readonly body?: unknown
  /** What is sent as it is instead: a configuration, YAML or JSON. */
  readonly text?: string
  readonly ifMatch?: string | undefined
  /** A member that each answer has, by which another service at the address is told. */
  readonly has: string
}

/** Something that the admin API refused. */
export class Refused extends Error {
  readonly status: number
  /** Of the problem: a word of docs/errors.md. */
  readonly reason: string | undefined

  constructor(message: string, { status, reason }: { status: number; reason: string | undefined }) {
    super(message)
    this.status = status
    this.reason = reason
  }
}

const timeoutMs = 30_000

/**
 * Asks the admin API of a running gateway, at `--url` or `GATEWAY_ADMIN_URL` (default `http://127.0.0.1:8080/admin`), with the token of `--token` or
 * `GATEWAY_ADMIN_TOKEN`. Throws a {@link Refused} in the words of the gateway, or another Error that says what to do.
 */
export async function askAdmin(input: Pick<CommandInput, 'values'>, ask: AdminAsk): Promise<unknown> {
  const { answer, url } = await sendToAdmin(input, ask, AbortSignal.timeout(timeoutMs))
  const told = parsed(await answer.text())
  if (typeof told === 'object' && told !== null && Object.hasOwn(told, ask.has)) return told
  throw new Error(`${url} did not answer as an admin API; say where one is with --url`)
}

/** The same, for an answer that is read as it comes: any that is no refusal. */
export async function sendToAdmin(
  { values }: Pick<CommandInput, 'values'>,
  { method, path, body, text, ifMatch }: Omit<AdminAsk, 'has'>,
  signal: AbortSignal,
): Promise<{ readonly answer: Response; readonly url: string }> {
  const url = adminUrl(values.url)
  const token = values.token ?? process.env.GATEWAY_ADMIN_TOKEN
  const answer = await fetch(url + path, {
    method,
    headers: {
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      ...(method !== 'GET' && {
        'Content-Type': text === undefined ? 'application/json' : 'application/yaml',
      }),
      ...(ifMatch !== undefined && { 'If-Match': ifMatch }),
    },
    body: text ?? (body === undefined ? null : JSON.stringify(body)),
    // A token is for this address, and for no other that it may lead to.
    redirect: 'error',
    signal,
  }).catch((error: Error) => {
    const { code = error.message } = (error.cause ?? {}) as NodeJS.ErrnoException
    throw new Error(`no gateway answers at ${url} (${code}): is one running there? ${elsewhere}`)
  })
  if (answer.ok) return { answer, url }
  throw refusalOf(url, answer.status, parsed(await answer.text()))
}

const elsewhere = '`gateway start` starts one; --url or GATEWAY_ADMIN_URL says where another is'

function adminUrl(given = process.env.GATEWAY_ADMIN_URL ?? 'http://127.0.0.1:8080/admin'): string {
  if (!URL.canParse(given)) throw new Error(`--url must be like http://127.0.0.1:8080/admin, not "${given}"`)
  const { pathname, origin } = new URL(given)
  return pathname === '/' ? `${origin}/admin` : given.replace(/\/$/, '')
}

interface Problem {
  readonly detail?: string
  readonly reason?: string
  readonly errors?: readonly { readonly field?: string; readonly detail?: string }[]
}

function refusalOf(url: string, status: number, told: unknown): Refused {
  const { detail, reason, errors = [] } = (told ?? {}) as Problem
  const places = errors.map(({ field = '', detail: what = '' }) => `\n  ${field.slice(1)}: ${what}`)
  const hint = detail === undefined ? '; say where one is with --url' : (hints[status] ?? '')
  const message = `${url} answered ${status}: ${detail ?? 'this is no admin API'}${hint}${places.join('')}`
  return new Refused(message, { status, reason })
}

/** What to do about it, by status. */
const hints: Readonly<Record<number, string>> = {
  401: ' Give a token with --token or GATEWAY_ADMIN_TOKEN; `gateway admin token NAME` makes one for admin.tokens.',
  403: ' What a token may do stands in admin.tokens of the configuration.',
  412: ' Somebody changed it meanwhile: see `gateway versions` and `gateway diff`, then try again; --force does it regardless.',
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
