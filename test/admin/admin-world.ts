import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { GatewayOptions } from '../../src/gateway-options.ts'
import { startGateway, type TestGateway } from '../world.ts'

/** What the admin API answered. */
export interface Told {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The JSON of it; undefined when it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects, and fails when it is not there.
  readonly json: any
}

export interface AskOptions {
  readonly body?: unknown
  /** Instead of `body`: as it is. */
  readonly text?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface AdminWorld extends TestGateway {
  /** `PUT /routes/x`, below the admin API. */
  ask(what: string, options?: AskOptions): Promise<Told>
}

/** A gateway with its admin API, without tokens. */
export async function startAdmin(
  t: TestContext,
  config: object,
  options: Partial<GatewayOptions> = {},
): Promise<AdminWorld> {
  const world = await startGateway(t, config, options)
  return { ...world, ask: (what, options) => askAdmin(`${world.url}/admin`, what, options) }
}

export async function askAdmin(
  base: string,
  what: string,
  { body, text, headers }: AskOptions = {},
): Promise<Told> {
  const [method = '', path = ''] = what.split(' ')
  const sent = text ?? (body === undefined ? undefined : JSON.stringify(body))
  const type = method === 'GET' ? {} : { 'Content-Type': 'application/json' }
  const reply = await fetch(base + path, { method, headers: { ...type, ...headers }, body: sent ?? null })
  const told = await reply.text()
  let json: unknown
  try {
    json = JSON.parse(told)
  } catch {
    json = undefined
  }
  return { status: reply.status, headers: reply.headers, text: told, json }
}

/** Asserts that something was refused as RFC 9457 has it. */
export function assertProblem(told: Told, status: number, reason: string, what: string): void {
  assert.deepEqual([told.status, told.json?.reason], [status, reason], `${what}: ${told.text}`)
  assert.match(told.headers.get('content-type') ?? '', /^application\/problem\+json/, what)
  assert.equal(told.json.status, status, what)
}
