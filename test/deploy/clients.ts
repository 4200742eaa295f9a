import { Agent, type IncomingMessage, request } from 'node:http'

/** What became of requests of one method. */
export interface Tally {
  answered: number
  /** Not answered with 200, as sentences. */
  readonly failed: string[]
  /** Answers that broke off after they had begun: nobody may send those again. */
  cut: number
}

/** Clients that send one request after another on kept connections until they are stopped. */
export interface Clients {
  readonly tallies: Readonly<Record<'GET' | 'PUT' | 'POST', Tally>>
  /** Resolves when so many more requests were answered. */
  answered(more: number): Promise<void>
  stop(): Promise<void>
}

const pauseMs = 10

/** `each` clients of each method at `url`. */
export function startClients(url: string, each: number): Clients {
  const empty = (): Tally => ({ answered: 0, failed: [], cut: 0 })
  const tallies = { GET: empty(), PUT: empty(), POST: empty() }
  let stopped = false
  const waiting: { at: number; resolve: () => void }[] = []
  const total = (): number => Object.values(tallies).reduce((sum, { answered }) => sum + answered, 0)

  const client = async (method: keyof typeof tallies): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const tally = tallies[method]
    while (!stopped) {
      const outcome = await ask(url, method, agent)
      if (outcome === 'answered') tally.answered++
      else if (outcome === 'cut') tally.cut++
      else tally.failed.push(outcome)
      for (const { at, resolve } of waiting) if (total() >= at) resolve()
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
    agent.destroy()
  }
  const running = (['GET', 'PUT', 'POST'] as const).flatMap((method) =>
    Array.from({ length: each }, () => client(method)),
  )
  return {
    tallies,
    answered: (more) => new Promise((resolve) => waiting.push({ at: total() + more, resolve })),
    stop: async () => {
      stopped = true
      await Promise.all(running)
    },
  }
}

function ask(url: string, method: string, agent: Agent): Promise<string> {
  return new Promise((resolve) => {
    const sent = request(url, { method, agent }, (answer: IncomingMessage) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      answer.on('error', () => resolve('cut'))
      answer.on('end', () => resolve(answer.statusCode === 200 ? 'answered' : `${answer.statusCode} ${text}`))
    })
    sent.on('error', (error) => resolve(String(error)))
    sent.end(method === 'GET' ? undefined : 'x'.repeat(2_000))
  })
}
