import assert from 'node:assert/strict'
import { test } from 'node:test'
import { agentPatterns } from '../../src/plugins/user-agent/agent-patterns.ts'
import { userAgent } from '../../src/plugins/user-agent/user-agent.ts'
import { exchange, make } from './harness.ts'

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

const rows: readonly [string, object, string | undefined, boolean][] = [
  ['a denied text anywhere', { deny: ['curl'] }, 'libcurl-agent/1.0', false],
  ['a denied text in another case', { deny: ['BadBot'] }, 'badbot/2', false],
  ['others than the denied', { deny: ['curl'] }, firefox, true],
  ['no agent, where one is denied', { deny: ['curl'] }, undefined, true],
  ['a pattern of the whole value', { allow: ['Mozilla/*Firefox/*'] }, firefox, true],
  ['a pattern is of the whole value, not of a part', { allow: ['Gecko*'] }, firefox, false],
  ['the parts of a pattern stand in order', { allow: ['*Firefox*Gecko*'] }, firefox, false],
  ['the parts of a pattern do not share letters', { allow: ['ab*ba'] }, 'aba', false],
  ['an end that comes twice', { allow: ['a*b'] }, 'abxb', true],
  ['dots and brackets mean themselves', { deny: ['a.c[1]'] }, 'abc1', true],
  ['deny wins over allow', { allow: ['Mozilla'], deny: ['Firefox'] }, firefox, false],
  ['who is not on the list', { allow: ['shop-app/'] }, 'curl/8.0', false],
  ['no agent, where there is a list', { allow: ['shop-app/'] }, undefined, false],
  ['no agent, where one is required', { required: true }, undefined, false],
  ['an empty agent, where one is required', { required: true }, '', false],
  ['any agent, where one is required', { required: true }, 'x', true],
  ['sqlmap as it calls itself', { scanners: true }, 'sqlmap/1.8#stable (https://sqlmap.org)', false],
  [
    'Nmap as it calls itself',
    { scanners: true },
    'Mozilla/5.0 (compatible; Nmap Scripting Engine; https://nmap.org)',
    false,
  ],
  ['ffuf as it calls itself', { scanners: true }, 'Fuzz Faster U Fool v2.1.0', false],
  ['a browser is no scanner', { scanners: true }, firefox, true],
  ['curl is no scanner', { scanners: true }, 'curl/8.5.0', true],
  ['Googlebot is no scanner', { scanners: true }, 'Mozilla/5.0 (compatible; Googlebot/2.1)', true],
]
for (const [name, options, agent, expected] of rows) {
  test(`${expected ? 'lets pass' : 'refuses'}: ${name}`, async () => {
    const headers = agent === undefined ? {} : { 'user-agent': agent }
    const x = await exchange({ plugins: [make(userAgent, options)], request: { headers } }).run()
    assert.equal(x.error?.reason, expected ? undefined : 'AGENT_REFUSED')
  })
}

const refused: readonly [string, object][] = [
  ['nothing that it would refuse', {}],
  ['a pattern that fits everybody', { deny: ['**'] }],
  ['an empty pattern', { deny: [''] }],
]
for (const [name, options] of refused) {
  test(`the configuration is refused for ${name}`, () => {
    assert.throws(() => make(userAgent, options))
  })
}

test('a pattern that would send a backtracking one astray is answered like any other', () => {
  const fits = agentPatterns([`${'*a'.repeat(99)}b`])
  assert.equal(fits('a'.repeat(16_000)), false)
  assert.equal(fits(`${'a'.repeat(16_000)}b`), true)
})
