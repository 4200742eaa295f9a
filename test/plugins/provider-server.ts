import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

/** What a test has a provider answer at one of its paths. */
export type ProviderAnswer = (req: IncomingMessage, res: ServerResponse, body: string) => unknown

/** An identity provider on loopback whose answers a test chooses, path by path; others are 404. */
export interface ProviderServer {
  readonly url: string
  /** `GET /path` of each request, oldest first. */
  readonly asked: string[]
  readonly answers: Map<string, ProviderAnswer>
  /** Resolves when it has been asked `times` more from now; rejects after a minute. */
  askedAgain(times: number): Promise<void>
  close(): void
}

export async function startProvider(t: TestContext): Promise<ProviderServer> {
  const asked: string[] = []
  const answers = new Map<string, ProviderAnswer>()
  let waiting: { readonly until: number; readonly tell: () => void }[] = []
  const server = createServer(async (req, res) => {
    let body = ''
    for await (const chunk of req) body += chunk
    const { pathname } = new URL(req.url ?? '', 'http://x')
    const answer = answers.get(pathname)
    if (answer === undefined) res.writeHead(404).end('{}')
    else await answer(req, res, body)
    asked.push(`${req.method} ${pathname}`)
    const done = waiting.filter(({ until }) => asked.length >= until)
    waiting = waiting.filter((one) => !done.includes(one))
    for (const { tell } of done) tell()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = (): void => {
    server.closeAllConnections()
    server.close()
  }
  t.after(close)
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    answers,
    askedAgain: (times) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`not asked ${times} times more`)), 60_000)
        const tell = (): void => {
          clearTimeout(late)
          resolve()
        }
        waiting.push({ until: asked.length + times, tell })
      }),
    close,
  }
}

/** Answers with JSON. */
export function json(value: unknown, status = 200): ProviderAnswer {
  return (_, res) => {
    res.writeHead(status, { 'Content-Type': 'application/json' })
    res.end(JSON.stringify(value))
  }
}
