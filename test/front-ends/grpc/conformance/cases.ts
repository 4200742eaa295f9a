import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Answer, AskOptions, World } from './world.ts'

/** One request and what must come of it. */
export interface Case extends AskOptions {
  /** Where the rule stands, and what it says. */
  readonly rule: string
  /** `GET /path?query`, as it is sent. */
  readonly ask: string
  /** Default 200. */
  readonly status?: number
  /** The method that must have been called; absent: whichever. `none`: no call must have been made. */
  readonly method?: string
  /** The message that the backend must have got: all of its fields, by proto names. */
  readonly request?: object
  /** The answer in JSON. */
  readonly reply?: unknown
  /** Headers that the answer must have; undefined: must not have. */
  readonly has?: Readonly<Record<string, string | undefined>>
  /** What the message of the refusal must say. */
  readonly says?: RegExp
}

/** Runs the cases one after another through one world. */
export async function runCases(t: TestContext, world: World, cases: readonly Case[]): Promise<void> {
  for (const one of cases) {
    await t.test(`${one.ask} (${one.rule})`, async () => {
      const before = world.heard.length
      const answer = await world.ask(one.ask, one)
      check(one, answer, world.heard.slice(before))
    })
  }
}

function check(one: Case, answer: Answer, heard: World['heard']): void {
  const { status = 200, method, request, reply, has = {}, says } = one
  assert.equal(answer.status, status, answer.text)
  if (method === 'none' || status >= 400) {
    if (method === 'none') assert.deepEqual(heard, [])
  } else {
    assert.equal(heard.length, 1)
  }
  const [call] = heard
  if (method !== undefined && method !== 'none') assert.equal(call?.method, method)
  if (request !== undefined) assert.deepEqual(plain(call?.request), request)
  if ('reply' in one) assert.deepEqual(answer.json, reply)
  if (says !== undefined) assert.match(String(answer.json?.message ?? answer.json?.detail), says)
  for (const [name, value] of Object.entries(has)) assert.equal(answer.headers[name], value, name)
}

/** Without prototypes, as deepEqual compares them too. */
function plain(message: unknown): unknown {
  return JSON.parse(JSON.stringify(message ?? null))
}
