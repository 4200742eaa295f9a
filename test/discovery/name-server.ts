import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import {
  type Answer,
  decode,
  encode,
  type Question,
  streamDecode,
  streamEncode,
  TRUNCATED_RESPONSE,
} from 'dns-packet'

/** What the server says to a question; undefined: nothing. */
export interface Said {
  readonly answers?: readonly Answer[]
  /** RFC 1035 section 4.1.1; default 0, NOERROR. */
  readonly rcode?: number
  /** Over UDP says only that the answer does not fit. */
  readonly truncated?: boolean
  /** Sent before the answer, over UDP. */
  readonly before?: (id: number) => readonly Buffer[]
}

/** A name server whose answers change from question to question. */
export interface NameServer {
  readonly server: string
  readonly port: number
  /** The questions that came, with when (`performance.now()`) and how. */
  readonly asked: (Question & { readonly at: number; readonly over: 'udp' | 'tcp' })[]
  /** Resolves when so many questions have come. */
  questions(count: number): Promise<void>
  close(): void
}

export async function startNameServer(
  t: TestContext,
  answer: (question: Question, over: 'udp' | 'tcp') => Said | undefined,
): Promise<NameServer> {
  const asked: NameServer['asked'] = []
  const waiting = new Set<() => void>()
  const sockets = new Set<Socket>()
  const take = (packet: { questions?: Question[] | undefined }, over: 'udp' | 'tcp'): Question => {
    const [question] = packet.questions ?? []
    if (question === undefined) throw new Error('no question')
    asked.push({ ...question, at: performance.now(), over })
    for (const look of waiting) look()
    return question
  }
  const tcp = createServer((socket) => {
    sockets.add(socket.on('error', () => {}))
    socket.on('data', (bytes) => {
      const query = streamDecode(bytes as Buffer)
      const question = take(query, 'tcp')
      const said = answer(question, 'tcp')
      if (said === undefined) socket.destroy()
      else socket.write(streamEncode(response(query.id, question, said)))
    })
  }).listen(0, '127.0.0.1')
  await once(tcp, 'listening')
  const address = tcp.address()
  if (address === null || typeof address !== 'object') throw new Error('no address')
  const { port } = address
  const udp = createSocket('udp4', (bytes, from) => {
    const query = decode(bytes)
    const question = take(query, 'udp')
    const said = answer(question, 'udp')
    if (said === undefined) return
    for (const packet of said.before?.(query.id ?? 0) ?? []) udp.send(packet, from.port, from.address)
    const shown = said.truncated === true ? { ...said, answers: [] } : said
    const packet = response(query.id, question, shown)
    packet.flags |= said.truncated === true ? TRUNCATED_RESPONSE : 0
    udp.send(encode(packet), from.port, from.address)
  })
  udp.bind(port, '127.0.0.1')
  await once(udp, 'listening')
  let open = true
  const close = (): void => {
    if (!open) return
    open = false
    udp.close()
    tcp.close()
    for (const socket of sockets) socket.destroy()
  }
  t.after(close)
  return {
    server: `127.0.0.1:${port}`,
    port,
    asked,
    questions: (count) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (asked.length >= count) resolve()
        }
        waiting.add(look)
        look()
      }),
    close,
  }
}

function response(id: number | undefined, question: Question, { answers = [], rcode = 0 }: Said) {
  return {
    type: 'response' as const,
    id: id ?? 0,
    flags: rcode,
    questions: [question],
    answers: [...answers],
  }
}
