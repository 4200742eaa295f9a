import { isRecord } from '../../core/is-record.ts'

/** What an outside service may be asked, and how much of it. */
export interface FetchJsonOptions {
  /** For the whole answer, in milliseconds. */
  readonly timeoutMs: number
  /** Of the body. */
  readonly maxBytes: number
  /** Posted as a form; absent: GET. */
  readonly form?: URLSearchParams
  readonly headers?: Readonly<Record<string, string>>
}

/** The answer had another status than 200. */
export class UnexpectedStatus extends Error {
  readonly status: number

  constructor(host: string, status: number) {
    super(`${host} answered with status ${status}`)
    this.status = status
  }
}

/** Whether it may be asked: by HTTP, and without a user and password in it, which every failure would tell the log and `/health`. */
export function canBeAsked(address: string): boolean {
  if (!/^https?:/.test(address) || !URL.canParse(address)) return false
  const { username, password } = new URL(address)
  return username === '' && password === ''
}

/**
 * The JSON object at an address. Redirects are not followed: whoever was named is asked, and nobody else. Rejects with an Error that says
 * what was wrong, without a word of the body.
 */
export async function fetchJson(
  address: string,
  { timeoutMs, maxBytes, form, headers }: FetchJsonOptions,
): Promise<Readonly<Record<string, unknown>>> {
  const { host } = new URL(address)
  if (!canBeAsked(address)) throw new Error(`the address at ${host} has a user name or is none of HTTP`)
  const response = await fetch(address, {
    method: form === undefined ? 'GET' : 'POST',
    headers: { accept: 'application/json', ...headers },
    body: form ?? null,
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
  })
  if (response.status !== 200) {
    await response.body?.cancel()
    throw new UnexpectedStatus(host, response.status)
  }
  let value: unknown
  try {
    value = JSON.parse(await textOf(response, maxBytes, host))
  } catch (error) {
    // A SyntaxError would quote the body.
    throw error instanceof SyntaxError ? new Error(`${host} answered with something that is no JSON`) : error
  }
  if (!isRecord(value)) throw new Error(`${host} answered with something that is no JSON object`)
  return value
}

async function textOf({ body }: Response, maxBytes: number, host: string): Promise<string> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of body ?? []) {
    bytes += part.byteLength
    // Leaving the loop ends the connection.
    if (bytes > maxBytes) throw new Error(`${host} answered with more than ${maxBytes} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}
