import { request } from 'undici'
import { causeOf } from '../../../core/cause-of.ts'
import type { KnownText } from '../../../core/polled-text.ts'

/** Where a composed supergraph is fetched from. */
export interface SupergraphUrl {
  /** `http:` or `https:`. */
  readonly url: string
  /** Between two times, a tenth more or less; milliseconds. */
  readonly intervalMs: number
  /** Up to the last byte of the answer; milliseconds. */
  readonly timeoutMs: number
  /** Of the answer. */
  readonly maxBytes: number
  /** Sent with each request, by name. */
  readonly headers: Readonly<Record<string, string>>
}

/**
 * Fetches a text when it is another one than the one that is known (RFC 9110 section 13.1.2, `If-None-Match`). Undefined: it is not.
 * Redirects are not followed: the headers hold secrets, which are for this address only. Rejects with an Error that says why there is none.
 */
export async function fetchText(
  options: SupergraphUrl,
  known: KnownText | undefined,
): Promise<KnownText | undefined> {
  const { url, timeoutMs, maxBytes } = options
  const signal = AbortSignal.timeout(timeoutMs)
  const tag = known?.tag
  try {
    const {
      statusCode: status,
      headers,
      body,
    } = await request(url, {
      headers: {
        accept: 'text/plain, application/graphql, */*;q=0.5',
        'user-agent': 'trivium',
        ...options.headers,
        ...(tag === undefined ? undefined : { 'if-none-match': tag }),
      },
      signal,
    })
    if (status !== 200) {
      await body.dump({ limit: 65_536, signal })
      if (status === 304 && known !== undefined) return undefined
      throw new Error(
        `answered ${status}${status >= 300 && status < 400 ? ', and is not followed elsewhere' : ''}`,
      )
    }
    const text = await readText(body, maxBytes)
    if (text.trim() === '') throw new Error('answered with nothing')
    const { etag } = headers
    return { text, tag: typeof etag === 'string' ? etag : undefined }
  } catch (error) {
    if (signal.aborted) throw new Error(`did not answer within ${timeoutMs} ms`, { cause: error })
    const { code } = error as NodeJS.ErrnoException
    throw code === undefined ? error : new Error(`cannot be reached: ${causeOf(error)}`, { cause: error })
  }
}

async function readText(
  body: AsyncIterable<Buffer> & { destroy(): void },
  maxBytes: number,
): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > maxBytes) throw new Error(`answered with more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
