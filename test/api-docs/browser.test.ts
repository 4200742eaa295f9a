import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startAccounts } from '../../examples/accounts/server.ts'
import { startLibrary } from '../../examples/library/server.ts'
import { folderOf } from '../config/files.ts'
import { type Browser, type Page, startBrowser } from '../services/browser.ts'
import { startBackend, startGateway } from '../world.ts'
import { callers, key } from './world.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const users = {
  openapi: '3.0.3',
  info: { title: 'Users', version: '1' },
  paths: {
    '/{id}': {
      get: {
        operationId: 'getUser',
        responses: { '200': { description: 'One.' } },
      },
      put: {
        operationId: 'putUser',
        requestBody: {
          content: { 'application/json': { schema: { type: 'object' }, example: { name: 'Ada' } } },
        },
        responses: { '200': { description: 'Changed.' } },
      },
      parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' }, example: '42' }],
    },
  },
}

/** A gateway with a REST, a gRPC and a GraphQL backend; all of it needs a key. */
async function startAll(t: TestContext, apiDocs: object = {}) {
  const [library, accounts] = await Promise.all([startLibrary(), startAccounts()])
  t.after(() => Promise.all([library.close(), accounts.close()]))
  const backend = await startBackend(t)
  const openapi = { file: folderOf(t, { 'users.json': JSON.stringify(users) })('users.json') }
  const gateway = await startGateway(t, {
    ...callers,
    apiDocs,
    plugins: [
      'requestId',
      'securityHeaders',
      'threatFilter',
      { cors: { allowOrigins: ['https://app.example'] } },
    ],
    upstreams: {
      users: { targets: [{ url: backend.url }], openapi },
      library: { targets: [{ url: library.url }] },
      accounts: { targets: [{ url: accounts.url }] },
    },
    routes: [{ id: 'users', path: '/v1/users/**', upstream: 'users', rewrite: { stripPrefix: '/v1/users' } }],
    grpc: {
      protos: [`${root}protos/library/**/*.proto`],
      includeDirs: [`${root}protos`],
      services: { 'library.v1.LibraryService': { upstream: 'library' } },
    },
    graphql: {
      explorer: true,
      introspection: true,
      subgraphs: { accounts: { upstream: 'accounts', schema: `${root}schemas/accounts.graphql` } },
    },
  })
  return { ...gateway, backend }
}

const input = (selector: string, value: string): string => `(() => {
  const field = document.querySelector(${JSON.stringify(selector)})
  Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), 'value').set.call(field, ${JSON.stringify(value)})
  field.dispatchEvent(new Event('input', { bubbles: true }))
  // Swagger UI takes what was typed a moment later, or when the field is left.
  field.dispatchEvent(new FocusEvent('focusout', { bubbles: true }))
})()`
const there = (selector: string): string => `document.querySelector(${JSON.stringify(selector)}) !== null`
const click = (selector: string): string => `document.querySelector(${JSON.stringify(selector)}).click()`

async function authorize(page: Page): Promise<void> {
  await page.until(there('.btn.authorize'))
  await page.evaluate(click('.btn.authorize'))
  const field = '.modal-ux input#api_key_value'
  await page.until(there(field))
  await page.evaluate(input(field, key))
  await page.evaluate(click('.modal-ux .auth-btn-wrapper .authorize'))
  await page.until(there('.modal-ux [aria-label="Remove authorization"]'))
  await page.evaluate(click('.modal-ux .close-modal'))
  await page.until(`!(${there('.modal-ux')})`)
}

/** Opens an operation, fills in its path, executes it: what the page shows as status and body of the answer. */
async function execute(
  page: Page,
  id: string,
  values: Readonly<Record<string, string>>,
): Promise<[string, string]> {
  const block = `[id^="operations-"][id$="-${id}"]`
  await page.until(there(`${block} .opblock-summary-control`))
  await page.evaluate(click(`${block} .opblock-summary-control`))
  await page.until(there(`${block} .btn.execute`))
  for (const [name, value] of Object.entries(values))
    await page.evaluate(input(`${block} tr[data-param-name="${name}"] input`, value))
  await page.evaluate(click(`${block} .btn.execute`))
  const live = `${block} .live-responses-table`
  await page.until(there(`${live} .response-col_status`))
  const status = `document.querySelector('${live} tbody .response-col_status').innerText`
  const body = `document.querySelector('${live} tbody .response-col_description').innerText`
  return [String(await page.evaluate(status)), String(await page.evaluate(body))]
}

describe('in a browser', () => {
  let browser: Browser
  before(async () => {
    browser = await startBrowser()
  })
  after(() => browser.close())

  it('Swagger UI shows all, takes a key, and its requests are answered, over REST and gRPC', async (t) => {
    const { url, backend } = await startAll(t)
    const page = await browser.open(`${url}/docs`)
    const refused = await execute(page, 'users_putUser', { id: '7' })
    assert.match(refused[0], /^401/)
    assert.match(refused[1], /NO_CREDENTIALS/)
    assert.deepEqual(
      page.complaints.splice(0).map((text) => /status of 401/.test(text)),
      [true],
    )
    await authorize(page)
    const read = await execute(page, 'users_getUser', { id: '42' })
    assert.match(read[0], /^200/)
    assert.match(read[1], /"url": "\/42"/)
    const live = '[id$="-users_putUser"] .live-responses-table tbody'
    await page.evaluate(click('[id$="-users_putUser"] .btn.execute'))
    await page.until(`document.querySelector('${live} .response-col_status').innerText.startsWith('200')`)
    assert.equal(backend.requests.at(-1)?.method, 'PUT')
    assert.equal(backend.requests.at(-1)?.headers['x-api-key'], undefined)
    const shelves = await execute(page, 'LibraryService_ListShelves', {})
    assert.match(shelves[0], /^200/)
    assert.match(shelves[1], /"shelves"/)
    const book = await execute(page, 'LibraryService_GetBook', { shelf: '1', book: '2' })
    assert.match(book[0], /^200/)
    assert.match(book[1], /"title"/)
    assert.deepEqual(page.complaints, [])
    assert.ok(page.asked.some((one) => one.endsWith('/v1/shelves')))
    assert.deepEqual(
      page.asked.filter((one) => !one.startsWith(url)),
      [],
    )
    assert.doesNotMatch(String(await page.evaluate('JSON.stringify(localStorage) + document.cookie')), /gwk_/)
  })

  it('where the document is for known callers, the page asks for a key and uses it', async (t) => {
    const { url } = await startAll(t, { openapi: { auth: 'required' } })
    const page = await browser.open(`${url}/docs`)
    await page.until(there('.ask input'))
    assert.equal(await page.evaluate("document.body.innerText.includes('users')"), false)
    await page.evaluate(input('.ask input', 'gwk_wrong'))
    await page.evaluate(click('.ask button'))
    await page.until(
      "document.querySelector('.ask label')?.textContent.startsWith('That is not enough') === true",
    )
    await page.evaluate(input('.ask input', key))
    await page.evaluate(click('.ask button'))
    const [status] = await execute(page, 'users_getUser', { id: '1' })
    assert.match(status, /^200/)
    assert.ok(
      page.complaints.every((text) => /status of 401/.test(text)),
      page.complaints.join('\n'),
    )
  })

  it('a script in a description does not run', async (t) => {
    const info = {
      description: `<svg onload="document.title = 'hacked'"></svg><script>document.title = 'hacked'</script>`,
    }
    const { url } = await startAll(t, { info })
    const page = await browser.open(`${url}/docs`)
    await page.until(there('.info .description'))
    await page.until(there('.btn.authorize'))
    assert.equal(await page.evaluate('document.title'), 'API')
    // Swagger UI parses it to take the script out; the policy of the page keeps it from running even then.
    assert.ok(
      page.complaints.every((text) => text.includes("'script-src 'self''")),
      page.complaints.join('\n'),
    )
  })

  it('GraphiQL asks nobody else, and sends the key that stands in its headers', async (t) => {
    const { url } = await startAll(t)
    const query = encodeURIComponent('{ users { name } }')
    const headers = encodeURIComponent(JSON.stringify({ 'X-API-Key': key }))
    const page = await browser.open(`${url}/graphql?query=${query}&headers=${headers}`)
    const editors = '.graphiql-editor-tool textarea'
    await page.until(there(editors))
    await page.evaluate(
      "[...document.querySelectorAll('button')].find((one) => one.textContent === 'Headers').click()",
    )
    const shown = `[...document.querySelectorAll(${JSON.stringify(editors)})].find((one) => one.offsetParent !== null)`
    await page.until(`${shown} !== undefined && (${shown}.focus(), document.activeElement === ${shown})`)
    if (
      (await page.evaluate(
        "document.querySelector('.graphiql-editor-tool').textContent.includes('gwk_')",
      )) !== true
    )
      await page.type(JSON.stringify({ 'X-API-Key': key }))
    await page.until("document.querySelector('.graphiql-editor-tool').textContent.includes('gwk_')")
    await page.evaluate(click('.graphiql-execute-button'))
    await page.until("document.querySelector('.graphiql-response').textContent.includes('Ada')")
    const wrong = page.complaints.filter((text) => !/status of 401/.test(text))
    assert.deepEqual(wrong, [])
    assert.deepEqual(
      page.asked.filter((one) => !one.startsWith(url)),
      [],
    )
  })
})
