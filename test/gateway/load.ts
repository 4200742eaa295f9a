import { Agent, type IncomingMessage, request } from 'node:http'

/** What steady clients saw. */
export interface Load {
  /** Answers so far. */
  readonly done: number
  /** Requests that failed or were not answered 200, as sentences. */
  readonly failures: readonly string[]
  /** Ends the clients and resolves when their last answers are there. */
  stop(): Promise<void>
}

/** Keep-alive clients that send one request after another, every third a POST, until they are stopped. */
export function startLoad(url: string, paths: readonly string[], clients: number): Load {
  const failures: string[] = []
  let done = 0
  let stopped = false
  const client = async (agent: Agent): Promise<void> => {
    for (let i = 0; !stopped; i++) {
      const path = paths[i % paths.length] ?? '/'
      const body = i % 3 === 2 ? 'x'.repeat(2_000) : undefined
      try {
        const { status, text } = await send(url + path, { agent, body })
        if (status !== 200) failures.push(`${path}: ${status} ${text}`)
        done++
      } catch (error) {
        failures.push(`${path}: ${String(error)}`)
      }
    }
    agent.destroy()
  }
  const running = Array.from({ length: clients }, () => client(new Agent({ keepAlive: true, maxSockets: 1 })))
  return {
    get done() {
      return done
    },
    failures,
    stop: async () => {
      stopped = true
      await Promise.all(running)
    },
  }
}

/** One answer, read whole. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

/** One request; a POST when it has a body. */
export function send(
  url: string,
  options: {
    readonly agent?: Agent
    readonly method?: string
    readonly body?: string | undefined
    readonly headers?: Readonly<Record<string, string>>
  } = {},
): Promise<Answer> {
  const { agent, body, headers = {}, method = body === undefined ? 'GET' : 'POST' } = options
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, ...(agent && { agent }) }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      answer.on('error', reject)
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
