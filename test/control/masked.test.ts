// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is what is tested
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from 'yaml'
import { maskedConfig, unmaskedConfig } from '../../src/control/masked.ts'

const text = `auth:
  jwt:
    - issuer: https://a.example # ours
      secret: aaaa
    - { issuer: https://b.example, secret: "\${B_SECRET}" }
    - { issuer: https://c.example, secret: "\${C_SECRET:-cccc}" }
consumers:
  - id: one
    keys: [{ hash: "sha256:11", name: first }, { hash: "sha256:22" }]
stores: { redis: { url: "redis://me:pw@redis:6379" } }
tls: { key: file://tls.key }
`

test('secrets are masked, references to them and comments stay', () => {
  const shown = maskedConfig(text)
  for (const secret of ['aaaa', 'cccc', 'sha256:11', 'sha256:22', ':pw@'])
    assert.ok(!shown.includes(secret), secret)
  assert.match(shown, /issuer: https:\/\/a\.example # ours\n {6}secret: "\*\*\*"/)
  assert.match(shown, /"\$\{B_SECRET\}"/)
  assert.match(shown, /redis:\/\/me:\*\*\*@redis:6379/)
  assert.match(shown, /file:\/\/tls\.key/)
})

test('what was read, changed elsewhere and sent back has its secrets again', () => {
  const sent = maskedConfig(text)
    .replace('c.example', 'd.example')
    .replace('id: one', 'id: one\n    roles: [x]')
  const restored = parse(unmaskedConfig(sent.replace('d.example', 'c.example'), parse(text)))
  assert.deepEqual(restored, { ...parse(text), consumers: [{ ...parse(text).consumers[0], roles: ['x'] }] })
})

test('items of a list that were moved keep their own', () => {
  const shown = parse(maskedConfig(text))
  shown.auth.jwt.reverse()
  shown.consumers[0].keys.reverse()
  const restored = parse(unmaskedConfig(JSON.stringify(shown), parse(text)))
  assert.deepEqual(
    restored.auth.jwt.map(({ secret }: { secret: string }) => secret),
    ['${C_SECRET:-cccc}', '${B_SECRET}', 'aaaa'],
  )
  assert.deepEqual(
    restored.consumers[0].keys.map(({ hash }: { hash: string }) => hash),
    ['sha256:22', 'sha256:11'],
  )
})

test('a mask that stands for nothing that is known is refused, with its place', () => {
  const sent = 'auth: { jwt: [{ issuer: https://new.example, secret: "***" }] }'
  assert.throws(
    () => unmaskedConfig(sent, parse(text)),
    (error: Error & { violations?: readonly { field: string }[] }) => {
      assert.deepEqual(
        error.violations?.map(({ field }) => field),
        ['/auth/jwt/0/secret'],
      )
      return true
    },
  )
})
