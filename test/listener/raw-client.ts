import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** One answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number
  /** Names in lower case, in the order of arrival; repeated names stand repeatedly. */
  readonly headers: readonly (readonly [string, string])[]
  /** What follows the head, up to where the next answer begins. */
  readonly body: string
}

/** A client that sends bytes as they are given and keeps all that comes back. */
export class RawClient {
  readonly socket: Socket
  /** All that came so far, as latin1. */
  text = ''
  /** Whether the other side has ended the connection (or reset it). */
  ended = false
  #changed = Promise.withResolvers<void>()

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('latin1')
      this.#tell()
    })
    const end = (): void => {
      this.ended = true
      this.#tell()
    }
    socket
      .on('end', end)
      .on('close', end)
      .on('drain', () => this.#tell())
    socket.on('error', () => {})
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return new RawClient(socket)
  }

  write(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }

  /** Sends a piece so often, as fast as it is taken; stops when an answer comes or the connection ends. */
  async upload(piece: Buffer, times: number, withinMs = 10_000): Promise<void> {
    for (let i = 0; i < times && this.text === '' && !this.ended; i++) {
      const taken = this.socket.write(piece)
      if (!taken)
        await this.#wait(
          () => !this.socket.writableNeedDrain || this.text !== '' || this.ended,
          'room',
          withinMs,
        )
    }
  }

  /** Sends a piece so often and reads nothing meanwhile, as simple clients do; a connection that is reset under it is lost. */
  async uploadBlindly(piece: Buffer, times: number): Promise<void> {
    this.socket.pause()
    for (let i = 0; i < times && !this.ended; i++) {
      await new Promise<void>((resolve) => this.socket.write(piece, () => resolve()))
    }
    this.socket.resume()
  }

  /** Resolves with all that came once it matches. Throws when the connection ends before that, or after `withinMs`. */
  async until(pattern: RegExp, withinMs = 10_000): Promise<string> {
    await this.#wait(() => pattern.test(this.text), `${pattern}`, withinMs)
    return this.text
  }

  /** Resolves with all that came once the other side has ended the connection. Throws after `withinMs`. */
  async end(withinMs = 10_000): Promise<string> {
    await this.#wait(() => this.ended, 'the end of the connection', withinMs)
    this.socket.destroy()
    return this.text
  }

  async #wait(holds: () => boolean, what: string, withinMs: number): Promise<void> {
    const timer = setTimeout(() => {
      this.socket.destroy(new Error('too late'))
    }, withinMs)
    try {
      while (!holds()) {
        if (this.ended)
          assert.fail(
            `no ${what} within ${withinMs} ms or before the end, but ${JSON.stringify(this.text.slice(0, 600))}`,
          )
        await this.#changed.promise
      }
      if (this.socket.errored?.message === 'too late')
        assert.fail(`no ${what} within ${withinMs} ms, but ${JSON.stringify(this.text.slice(0, 600))}`)
    } finally {
      clearTimeout(timer)
    }
  }

  #tell(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}

/** Sends bytes on a connection of their own and resolves with all that came back until the other side ended it. */
export async function sendRaw(port: number, bytes: string | Buffer, withinMs = 10_000): Promise<string> {
  const client = await RawClient.connect(port)
  client.write(bytes)
  return client.end(withinMs)
}

/** Takes what came over the wire apart into answers; interim ones included. */
export function parseAnswers(text: string): RawAnswer[] {
  const starts = [...text.matchAll(/HTTP\/1\.1 (\d{3})[^\r\n]*\r\n/g)]
  return starts.map((start, i) => {
    const rest = text.slice(start.index + start[0].length, starts[i + 1]?.index)
    const headEnd = `\r\n${rest}`.indexOf('\r\n\r\n')
    const lines = rest
      .slice(0, Math.max(0, headEnd - 2))
      .split('\r\n')
      .filter((line) => line !== '')
    const headers = lines.map((line): [string, string] => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
    })
    return { status: Number(start[1]), headers, body: rest.slice(headEnd + 2) }
  })
}

/** Throws unless the text is one refusal in the words of RFC 9457, whose connection ends with it. Returns the problem. */
export function assertRefused(text: string, status: number): Record<string, unknown> {
  const answers = parseAnswers(text)
  assert.deepEqual(
    answers.map((answer) => answer.status),
    [status],
    `answered ${JSON.stringify(text.slice(0, 600))}`,
  )
  const [answer] = answers
  const header = (name: string): string[] =>
    (answer?.headers ?? []).filter(([n]) => n === name).map(([, v]) => v)
  assert.deepEqual(header('content-type'), ['application/problem+json'])
  assert.deepEqual(header('connection'), ['close'])
  assert.deepEqual(header('content-length'), [String(Buffer.byteLength(answer?.body ?? '', 'latin1'))])
  const problem = JSON.parse(answer?.body ?? '') as Record<string, unknown>
  assert.equal(problem.status, status)
  assert.equal(typeof problem.reason, 'string')
  return problem
}

/** Resolves when a connection is closed, whether or not it broke (`once` of node:events rejects at an error). */
export function closed(socket: Socket | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (socket === undefined || socket.destroyed) resolve()
    else socket.once('close', () => resolve())
  })
}
