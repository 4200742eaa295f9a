import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { frontEndOver, openDoor } from './harness.ts'
import { inAllPlaces, startSubgraph } from './subgraphs.ts'

const chromium = process.env.CHROMIUM ?? '/usr/bin/chromium'

/** A page in a real browser, driven by the Chrome DevTools Protocol. */
interface Page {
  /** The value of a JavaScript expression. */
  evaluate(expression: string): Promise<unknown>
  /** Resolves when the expression is true. */
  until(expression: string): Promise<void>
  /** Types into what has the focus. */
  type(text: string): Promise<void>
}

async function openPage(t: TestContext, url: string): Promise<Page> {
  const profile = await mkdtemp(join(tmpdir(), 'trivium-explorer-'))
  const flags = '--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking'
  const args = [...flags.split(' '), '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank']
  const child = spawn(chromium, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  t.after(async () => {
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
    await rm(profile, { recursive: true, force: true, maxRetries: 5 })
  })
  let said = ''
  const address = await new Promise<string>((resolve) => {
    child.stderr.on('data', (chunk) => {
      said += chunk
      const found = /ws:\/\/\S+/.exec(said)
      if (found !== null) resolve(found[0])
    })
  })
  const socket = new WebSocket(address)
  await new Promise((resolve) => socket.addEventListener('open', resolve))
  // biome-ignore lint/suspicious/noExplicitAny: what the protocol answers has any shape
  const waiting = new Map<number, (result: any) => void>()
  socket.addEventListener('message', ({ data }) => {
    const { id, result } = JSON.parse(String(data))
    waiting.get(id)?.(result)
  })
  let last = 0
  // biome-ignore lint/suspicious/noExplicitAny: what the protocol answers has any shape
  const send = (method: string, params: object = {}, sessionId?: string): Promise<any> =>
    new Promise((resolve) => {
      waiting.set(++last, resolve)
      socket.send(JSON.stringify({ id: last, method, params, sessionId }))
    })
  const { targetId } = await send('Target.createTarget', { url })
  const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true })
  const evaluate = async (expression: string): Promise<unknown> => {
    const asked = { expression, awaitPromise: true, returnByValue: true }
    return (await send('Runtime.evaluate', asked, sessionId))?.result?.value
  }
  return {
    evaluate,
    until: async (expression) => {
      while ((await evaluate(expression)) !== true) await new Promise((resolve) => setTimeout(resolve, 100))
    },
    type: async (text) => void (await send('Input.insertText', { text }, sessionId)),
  }
}

const editors = '.graphiql-editor-tool textarea'

it('sends what is typed into the headers editor of the explorer, and keeps it out of local storage', {
  skip: !existsSync(chromium),
}, async (t) => {
  const accounts = await startSubgraph('accounts')
  const all = inAllPlaces(accounts)
  const door = await openDoor(await frontEndOver(all))
  t.after(() => Promise.all([door.close(), accounts.close()]))
  const page = await openPage(t, `${door.url}?query=${encodeURIComponent('{ me { id } }')}`)
  await page.until(`document.querySelectorAll(${JSON.stringify(editors)}).length > 0`)
  await page.evaluate(
    "[...document.querySelectorAll('button')].find((one) => one.textContent === 'Headers').click()",
  )
  const shown = `[...document.querySelectorAll(${JSON.stringify(editors)})].find((one) => one.offsetParent !== null)`
  await page.until(`${shown} !== undefined && (${shown}.focus(), document.activeElement === ${shown})`)
  await page.type('{"X-API-Key": "gwk_typed"}')
  await page.until("document.querySelector('.graphiql-editor-tool').textContent.includes('gwk_typed')")
  await page.evaluate("document.querySelector('.graphiql-execute-button').click()")
  await page.until("document.querySelector('.graphiql-response').textContent.includes('data')")
  assert.ok(door.exchanges.some((x) => x.header('x-api-key') === 'gwk_typed'))
  assert.equal(accounts.requests.length, 1)
  // What it keeps is written half a second after the last change.
  await page.until("localStorage.getItem('graphiql:tabState')?.includes('me { id }') === true")
  const kept = String(await page.evaluate('JSON.stringify(localStorage)'))
  assert.doesNotMatch(kept, /gwk_typed/)
})
