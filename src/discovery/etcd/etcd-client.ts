import { Agent, type Dispatcher, request } from 'undici'
import { z } from 'zod'

/** How one etcd is reached. */
export interface EtcdClientOptions {
  /** `http://host:port` or `https://host:port` */
  readonly endpoint: string
  readonly user: string | undefined
  readonly password: string
  /** Of Node's `tls.connect`. */
  readonly tls: object
  /** To connect, and for the answer to a question. */
  readonly timeoutMs: number
}

/** A key with its value, and a key that is gone. Keys are in base64, as etcd writes them. */
export interface KeyEvent {
  readonly key: string
  /** Undefined: gone. */
  readonly value: string | undefined
}

/** What one answer, or one line of a watch, may have. */
const maxBytes = 4_194_304

/**
 * The key-value API of etcd 3.4 and later in JSON over HTTP, as its own gateway speaks it (etcd.io, "gRPC gateway"). Rejects with an Error that
 * says what etcd said, or why there was no answer.
 */
export class EtcdClient {
  readonly #options: EtcdClientOptions
  readonly #agent: Agent
  #token: string | undefined

  constructor(options: EtcdClientOptions) {
    this.#options = options
    const connect = { ...options.tls, timeout: options.timeoutMs }
    this.#agent = new Agent({ connect, headersTimeout: options.timeoutMs, bodyTimeout: 0 })
  }

  /** All keys that begin with `prefix`, and the revision that this is true of. */
  async range(
    prefix: string,
    { limit, signal }: { readonly limit: number; readonly signal: AbortSignal },
  ): Promise<{ readonly entries: readonly KeyEvent[]; readonly revision: bigint }> {
    const inTime = AbortSignal.any([signal, AbortSignal.timeout(this.#options.timeoutMs)])
    const body = await this.#post('/v3/kv/range', { ...keysOf(prefix), limit }, inTime)
    const { header, kvs } = readJson(rangeAnswer, await textOf(body))
    return { entries: kvs.map(entryOf), revision: BigInt(header.revision) }
  }

  /** Every change of these keys from `revision` on, until the signal, or until etcd ends the watch, which throws. */
  async *watch(
    prefix: string,
    { revision, signal }: { readonly revision: bigint; readonly signal: AbortSignal },
  ): AsyncGenerator<readonly KeyEvent[]> {
    const create = { create_request: { ...keysOf(prefix), start_revision: String(revision) } }
    const body = await this.#post('/v3/watch', create, signal)
    for await (const line of linesOf(body)) {
      const { result, error } = readJson(watchLine, line)
      if (error !== undefined) throw new Error(`the watch failed: ${error.message}`)
      if (result === undefined) continue
      const { canceled, cancel_reason, compact_revision, events } = result
      const compacted = compact_revision === undefined ? 'no reason given' : 'its revision was compacted'
      if (canceled) throw new Error(`the watch was cancelled: ${cancel_reason || compacted}`)
      if (events.length === 0) continue
      yield events.map(({ type, kv }) =>
        type === 'DELETE' ? { key: kv.key, value: undefined } : entryOf(kv),
      )
    }
    throw new Error('the watch ended')
  }

  close(): void {
    void this.#agent.destroy()
  }

  /** With a token, where there is a user; one that is no longer valid is replaced once. */
  async #post(path: string, body: object, signal: AbortSignal): Promise<Dispatcher.ResponseData['body']> {
    const { user, password } = this.#options
    if (user === undefined) return (await this.#send(path, body, signal)).body
    for (let again = true; ; again = false) {
      if (this.#token === undefined) {
        const reply = await this.#send('/v3/auth/authenticate', { name: user, password }, signal)
        this.#token = readJson(authAnswer, await textOf(reply.body)).token
      }
      try {
        return (await this.#send(path, body, signal)).body
      } catch (error) {
        if (!(error instanceof Unauthenticated) || !again) throw error
        this.#token = undefined
      }
    }
  }

  async #send(path: string, body: object, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const reply = await request(`${this.#options.endpoint}${path}`, {
      dispatcher: this.#agent,
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(this.#token === undefined ? {} : { authorization: this.#token }),
      },
      body: JSON.stringify(body),
      signal,
    })
    if (reply.statusCode === 200) return reply
    const said = messageIn(await textOf(reply.body))
    const message = `etcd answered ${reply.statusCode}${said === undefined ? '' : `: ${said}`}`
    throw reply.statusCode === 401 ? new Unauthenticated(message) : new Error(message)
  }
}

class Unauthenticated extends Error {}

/** `value` is absent when it is empty. */
const keyValue = z.object({ key: z.string(), value: z.string().default('') })

const rangeAnswer = z.object({
  header: z.object({ revision: z.string().regex(/^\d+$/) }),
  kvs: z.array(keyValue).default([]),
})

const authAnswer = z.object({ token: z.string() })

const watchLine = z.object({
  result: z
    .object({
      canceled: z.boolean().default(false),
      cancel_reason: z.string().default(''),
      compact_revision: z.string().optional(),
      /** `type` is absent for PUT. */
      events: z.array(z.object({ type: z.string().optional(), kv: keyValue })).default([]),
    })
    .optional(),
  error: z.object({ message: z.string().default('no reason given') }).optional(),
})

/** The keys from `prefix` up to the first that does not begin with it. */
function keysOf(prefix: string): { readonly key: string; readonly range_end: string } {
  const end = Buffer.from(prefix)
  end[end.length - 1] = (end.at(-1) ?? 0) + 1
  return { key: Buffer.from(prefix).toString('base64'), range_end: end.toString('base64') }
}

function entryOf({ key, value }: z.output<typeof keyValue>): KeyEvent {
  return { key, value: Buffer.from(value, 'base64').toString('utf8') }
}

function readJson<T>(schema: z.ZodType<T>, text: string): T {
  let written: unknown
  try {
    written = JSON.parse(text)
  } catch {
    throw new Error('the answer is no JSON')
  }
  const parsed = schema.safeParse(written)
  if (!parsed.success) throw new Error('the answer is none of etcd')
  return parsed.data
}

async function textOf(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > maxBytes) throw new Error(`the answer has more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

async function* linesOf(body: Dispatcher.ResponseData['body']): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of body as AsyncIterable<Buffer>) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > maxBytes) throw new Error(`a line of the watch has more than ${maxBytes} bytes`)
    yield* lines
  }
}

function messageIn(text: string): string | undefined {
  try {
    return readJson(z.object({ message: z.string() }), text).message
  } catch {
    return undefined
  }
}
