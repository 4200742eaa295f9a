import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerOf } from '../harness.ts'
import { consumers, customer, developer } from './callers.ts'
import { startShop } from './shop.ts'

const keyed = { auth: { apiKeys: { header: 'X-API-Key' } }, consumers }
const types = { query: '{ __schema { queryType { name } } }' }
const mistake = { query: '{ mee { id } }' }

type Ask = (body: object, headers?: Record<string, string>) => Promise<Response>

async function message(asking: Promise<Response>): Promise<string> {
  const { errors, data } = await answerOf(await asking)
  return errors[0]?.message ?? JSON.stringify(data)
}

const seen = '{"__schema":{"queryType":{"name":"Query"}}}'
const off = 'Introspection is switched off.'

test('introspection and suggestions are for those whom the rules name, in whatever order they ask', async (t) => {
  const rules = { introspection: { roles: ['developer'] }, suggestions: { consumers: ['shopper'] } }
  const { ask } = (await startShop(t, { auth: 'optional', ...rules }, keyed)) as { ask: Ask }
  for (let turn = 0; turn < 2; turn++) {
    assert.equal(await message(ask(types, customer)), off)
    assert.equal(await message(ask(types, developer)), seen)
    assert.equal(await message(ask(types)), off)
    assert.match(await message(ask(mistake, customer)), /Did you mean "me"/)
    for (const caller of [developer, {}])
      assert.doesNotMatch(await message(ask(mistake, caller)), /Did you mean/)
  }
})

test('suggestions follow introspection unless they are told otherwise', async (t) => {
  const { ask } = (await startShop(
    t,
    { auth: 'optional', introspection: { roles: ['developer'] } },
    keyed,
  )) as {
    ask: Ask
  }
  assert.match(await message(ask(mistake, developer)), /Did you mean/)
  assert.doesNotMatch(await message(ask(mistake, customer)), /Did you mean/)
  const { ask: askOther } = (await startShop(t, { introspection: true, suggestions: false })) as { ask: Ask }
  assert.equal(await message(askOther(types)), seen)
  assert.doesNotMatch(await message(askOther(mistake)), /Did you mean/)
  const variable = { query: 'query($n: String!) { userByName(name: $n) { id } }', variables: { n: 1 } }
  assert.match(await message(askOther(variable)), /String cannot represent/)
})

test('a rule that asks for nothing is refused', async (t) => {
  await assert.rejects(startShop(t, { introspection: {} }), /graphql\.introspection.*asks for nothing/)
})

test('a rule about callers where nobody is known is refused', async (t) => {
  const roles = { roles: ['developer'] }
  await assert.rejects(startShop(t, { introspection: roles }), /graphql\.introspection: is met by nobody/)
  await assert.rejects(startShop(t, { suggestions: roles }), /graphql\.suggestions: is met by nobody/)
})
