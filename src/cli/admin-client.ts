import type { CommandInput } from './commands.ts'

/** One call of the admin API. */
export interface AdminAsk {
  readonly method: 'GET' | 'POST'
  /** Below the path of the admin API: `/keys`. */
  readonly path: string
  readonly body?: object
  /** A member that each answer has, by which another service at the address is told. */
  readonly has: string
}

const timeoutMs = 30_000

/**
 * Asks the admin API of a running gateway, at `--url` or `GATEWAY_ADMIN_URL` (default `http://127.0.0.1:8080/admin`), with the token of `--token` or
 * `GATEWAY_ADMIN_TOKEN`. Throws an Error in the words of the gateway when it refuses.
 */
export async function askAdmin(
  { values }: Pick<CommandInput, 'values'>,
  { method, path, body, has }: AdminAsk,
): Promise<unknown> {
  const base = values.url ?? process.env.GATEWAY_ADMIN_URL ?? 'http://127.0.0.1:8080/admin'
  if (!URL.canParse(base)) throw new Error(`--url must be like http://127.0.0.1:8080/admin, not "${base}"`)
  const { pathname } = new URL(base)
  const url = pathname === '/' ? `${new URL(base).origin}/admin` : base.replace(/\/$/, '')
  const token = values.token ?? process.env.GATEWAY_ADMIN_TOKEN
  const answer = await fetch(url + path, {
    method,
    headers: {
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      ...(method === 'POST' && { 'Content-Type': 'application/json' }),
    },
    body: body === undefined ? null : JSON.stringify(body),
    // A token is for this address, and for no other that it may lead to.
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
  }).catch((error: Error) => {
    const { code = error.message } = (error.cause ?? {}) as NodeJS.ErrnoException
    throw new Error(`no gateway answers at ${url} (${code}); say where one is with --url`)
  })
  const told = parsed(await answer.text())
  if (answer.ok) {
    if (typeof told === 'object' && told !== null && Object.hasOwn(told, has)) return told
    throw new Error(`${url} did not answer as an admin API; say where one is with --url`)
  }
  const { detail, errors = [] } = (told ?? {}) as Problem
  const places = errors.map((error) => `\n  ${error.field.slice(1)}: ${error.detail}`).join('')
  throw new Error(`${url} answered ${answer.status}: ${detail ?? 'this is no admin API'}${places}`)
}

interface Problem {
  readonly detail?: string
  readonly errors?: readonly { readonly field: string; readonly detail: string }[]
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
