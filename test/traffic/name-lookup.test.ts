import assert from 'node:assert/strict'
import dns, { type LookupAddress } from 'node:dns'
import { type TestContext, test } from 'node:test'
import { NameLookup } from '../../src/traffic/name-lookup.ts'

type Answer = (error: NodeJS.ErrnoException | null, found: LookupAddress[]) => void

const four = (...addresses: string[]): LookupAddress[] => addresses.map((address) => ({ address, family: 4 }))
const six = (...addresses: string[]): LookupAddress[] => addresses.map((address) => ({ address, family: 6 }))
const failed = (code: string): NodeJS.ErrnoException => Object.assign(new Error(code), { code })

/** The resolver; what it was asked waits until the test answers. */
function resolver(t: TestContext): Answer[] {
  const asked: Answer[] = []
  t.mock.method(dns, 'lookup', (_name: string, _options: object, answer: Answer) => asked.push(answer))
  return asked
}

/** Asks for all addresses; the first of them, or the code of the error. */
function find(names: NameLookup): Promise<string> {
  return new Promise((resolve) => {
    names.lookup('backend.test', { all: true }, (error, found) => {
      resolve(error?.code ?? (found as LookupAddress[]).map(({ address }) => address).join(' '))
    })
  })
}

test('every lookup asks anew, and several addresses take turns', async (t) => {
  const asked = resolver(t)
  const names = new NameLookup()
  const firsts: string[] = []
  for (let i = 0; i < 4; i++) {
    const found = find(names)
    asked[i]?.(null, four('10.0.0.1', '10.0.0.2', '10.0.0.3'))
    firsts.push((await found).split(' ')[0] ?? '')
  }
  assert.deepEqual(firsts, ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.1'])
})

test('the family that the resolver prefers stays in front', async (t) => {
  const asked = resolver(t)
  const names = new NameLookup()
  const seen: string[] = []
  for (let i = 0; i < 2; i++) {
    const found = find(names)
    asked[i]?.(null, [...six('::1', '::2'), ...four('10.0.0.1')])
    seen.push(await found)
  }
  assert.deepEqual(seen, ['::1 ::2 10.0.0.1', '::2 ::1 10.0.0.1'])
})

test('a caller that wants one address gets one', async (t) => {
  const asked = resolver(t)
  const found = new Promise((resolve) => {
    new NameLookup().lookup('backend.test', {}, (error, address, family) => resolve([error, address, family]))
  })
  asked[0]?.(null, four('10.0.0.1', '10.0.0.2'))
  assert.deepEqual(await found, [null, '10.0.0.1', 4])
})

for (const { code, becomes } of [
  // The resolver cannot be reached, or cannot reach others.
  { code: 'EAI_AGAIN', becomes: '10.0.0.1' },
  // The name is no more: its old address may be somebody else's.
  { code: 'ENOTFOUND', becomes: 'ENOTFOUND' },
]) {
  test(`${code} after a good answer is ${becomes}`, async (t) => {
    const asked = resolver(t)
    const names = new NameLookup()
    const good = find(names)
    asked[0]?.(null, four('10.0.0.1'))
    await good
    const next = find(names)
    asked[1]?.(failed(code), [])
    assert.equal(await next, becomes)
  })
}

test('EAI_AGAIN without a good answer before is an error', async (t) => {
  const asked = resolver(t)
  const found = find(new NameLookup())
  asked[0]?.(failed('EAI_AGAIN'), [])
  assert.equal(await found, 'EAI_AGAIN')
})

test('a resolver that hangs holds one lookup, and connections use the last addresses', async (t) => {
  const asked = resolver(t)
  const names = new NameLookup()
  const good = find(names)
  asked[0]?.(null, four('10.0.0.1'))
  await good
  const waiting = await Promise.all(Array.from({ length: 10 }, () => find(names)))
  assert.deepEqual(new Set(waiting), new Set(['10.0.0.1']))
  assert.equal(asked.length, 2)
  asked[1]?.(null, four('10.0.0.2'))
  const after = find(names)
  asked[2]?.(null, four('10.0.0.2'))
  assert.equal(await after, '10.0.0.2')
})
