import type { ServerResponse } from 'node:http'
import type { ContentCoding } from './exchange.ts'

/**
 * Puts a content coding between an answer and its client: what is written to the answer from now on goes through it first, with
 * back-pressure, and the answer ends when the coding has. It is let go when the client leaves.
 */
export class CodedBody {
  /** What has left for the client, coded. */
  bytes = 0

  constructor(res: ServerResponse, { stream, flush }: ContentCoding) {
    const write = res.write.bind(res) as (chunk: Buffer) => boolean
    const end = res.end.bind(res) as () => void
    let ended = false
    stream.on('data', (chunk: Buffer) => {
      this.bytes += chunk.length
      if (!write(chunk)) stream.pause()
    })
    stream.once('end', end)
    // Whoever writes waits for `drain` of the answer: there is room when the coding has some.
    stream.on('drain', () => res.emit('drain'))
    stream.on('error', () => res.destroy())
    res.on('drain', () => stream.resume())
    res.once('close', () => stream.destroy())
    // Out with what came so far as soon as nothing more is waiting to go in.
    const written = flush && ((): void => void (stream.writableLength === 0 && !ended && flush()))
    const taken = {
      write(chunk: Buffer | string, encoding?: BufferEncoding): boolean {
        if (ended || stream.destroyed) return false
        return stream.write(chunk, typeof encoding === 'string' ? encoding : 'utf8', written)
      },
      end(chunk?: Buffer | string, encoding?: BufferEncoding): ServerResponse {
        if (ended || stream.destroyed) return res
        ended = true
        if (chunk === undefined || chunk === null) stream.end()
        else stream.end(chunk, typeof encoding === 'string' ? encoding : 'utf8')
        return res
      },
    }
    Object.assign(res, taken)
    Object.defineProperty(res, 'writableEnded', { get: () => ended, configurable: true })
  }
}
