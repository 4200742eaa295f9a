import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureProgram } from './programs.ts'

/** A headless Chromium that reaches nothing but this machine. */
export interface Browser {
  open(url: string): Promise<Page>
  close(): Promise<void>
}

/** A page in it, driven by the Chrome DevTools Protocol. */
export interface Page {
  /** The value of a JavaScript expression. */
  evaluate(expression: string): Promise<unknown>
  /** Resolves when the expression is true; rejects when it is not after five minutes. */
  until(expression: string): Promise<void>
  /** Types into what has the focus. */
  type(text: string): Promise<void>
  /** URLs that it and its workers asked for, but for data and blobs. */
  readonly asked: string[]
  /** What it complained of: exceptions, errors on the console, violations of its policy. */
  readonly complaints: string[]
}

/** Starts one; close it when the tests are over. */
export async function startBrowser(): Promise<Browser> {
  const chromium = await ensureProgram('chromium')
  const profile = await mkdtemp(join(tmpdir(), 'trivium-browser-'))
  const flags =
    '--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update'
  const child = spawn(
    chromium,
    [
      ...flags.split(' '),
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
      '--remote-debugging-port=0',
      `--user-data-dir=${profile}`,
      'about:blank',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let said = ''
  const address = await new Promise<string>((resolve, reject) => {
    child.once('exit', () => reject(new Error(`chromium ended: ${said}`)))
    child.stderr.on('data', (chunk) => {
      said += chunk
      const found = /ws:\/\/\S+/.exec(said)
      if (found !== null) resolve(found[0])
    })
  })
  const socket = new WebSocket(address)
  await new Promise((resolve) => socket.addEventListener('open', resolve))
  const waiting = new Map<number, (answer: Message) => void>()
  const pages = new Map<string, (event: Message) => void>()
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as Message
    if (message.id !== undefined) waiting.get(message.id)?.(message)
    else pages.get(message.sessionId ?? '')?.(message)
  })
  let last = 0
  const send: Send = (method, params = {}, sessionId = undefined) =>
    new Promise((resolve) => {
      waiting.set(++last, ({ result }) => resolve(result ?? {}))
      socket.send(JSON.stringify({ id: last, method, params, sessionId }))
    })
  return {
    async open(url) {
      const { targetId } = await send('Target.createTarget', { url: 'about:blank' })
      const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true })
      const page = pageOf(send, String(sessionId))
      pages.set(String(sessionId), page.heard)
      for (const domain of ['Network', 'Runtime', 'Log', 'Page'])
        await send(`${domain}.enable`, {}, String(sessionId))
      await send('Page.navigate', { url }, String(sessionId))
      return page
    },
    async close() {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await ended
      await rm(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** A page that has not done it by then never will. */
const patienceMs = 300_000

interface Message {
  readonly id?: number
  readonly sessionId?: string
  readonly method?: string
  // biome-ignore lint/suspicious/noExplicitAny: what the protocol says has any shape
  readonly params?: any
  // biome-ignore lint/suspicious/noExplicitAny: what the protocol says has any shape
  readonly result?: any
}

type Send = (
  method: string,
  params?: object,
  sessionId?: string,
  // biome-ignore lint/suspicious/noExplicitAny: what the protocol says has any shape
) => Promise<any>

function pageOf(send: Send, sessionId: string): Page & { heard(event: Message): void } {
  const asked: string[] = []
  const complaints: string[] = []
  const evaluate = async (expression: string): Promise<unknown> => {
    const given = { expression, awaitPromise: true, returnByValue: true }
    return (await send('Runtime.evaluate', given, sessionId)).result?.value
  }
  return {
    asked,
    complaints,
    evaluate,
    until: async (expression) => {
      const deadlineAt = performance.now() + patienceMs
      while ((await evaluate(expression)) !== true) {
        if (performance.now() > deadlineAt)
          throw new Error(`never true: ${expression}; ${complaints.join('; ')}`)
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    },
    type: async (text) => void (await send('Input.insertText', { text }, sessionId)),
    heard({ method, params }) {
      if (method === 'Network.requestWillBeSent' && !/^(data|blob|about):/.test(params.request.url))
        asked.push(params.request.url)
      if (method === 'Runtime.exceptionThrown')
        complaints.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text)
      if (method === 'Runtime.consoleAPICalled' && params.type === 'error')
        complaints.push(
          params.args
            .map((one: { value?: unknown; description?: string }) => one.value ?? one.description)
            .join(' '),
        )
      if (method === 'Log.entryAdded' && params.entry.level === 'error')
        complaints.push(`${params.entry.text} ${params.entry.url ?? ''}`)
    },
  }
}
