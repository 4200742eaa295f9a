import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from 'graphql'
import { readConditions } from '../../../../src/front-ends/graphql/authorization/applied-conditions.ts'
import {
  fieldConditions,
  protectedKeys,
} from '../../../../src/front-ends/graphql/authorization/field-conditions.ts'
import { composeSupergraph } from '../../../../src/front-ends/graphql/supergraph.ts'
import { readFeatures } from '../../../../src/front-ends/graphql/supergraph-features.ts'
import { link } from './recording.ts'

interface Case {
  readonly name: string
  readonly sdl: readonly string[]
  /** What is done to the supergraph: text, and what it becomes. */
  readonly edit?: readonly [string | RegExp, string]
  /** `Type.field` of each that asks for something. */
  readonly asking: readonly string[]
  readonly keys?: readonly string[]
}

const context = link.replace('v2.9', 'v2.8').replace(', "@cost", "@listSize"', ', "@context", "@fromContext"')

const cases: readonly Case[] = [
  {
    name: 'nothing',
    sdl: [`${link} type Query { a: String }`],
    asking: [],
  },
  {
    name: 'a root type, for all of its subgraphs',
    sdl: [
      `${link} type Query @authenticated { a: String } type Mutation { b: String }`,
      `${link} type Query { c: String }`,
    ],
    asking: ['Query.a', 'Query.c'],
  },
  {
    name: 'the type of a value in lists, whoever has the field',
    sdl: [`${link} type Query { a: [[A!]!]! b: B } type A @authenticated { x: Int } type B { a: A, x: Int }`],
    asking: ['A.x', 'B.a', 'Query.a'],
  },
  {
    name: 'an interface object: its fields belong to types that are protected elsewhere',
    sdl: [
      `${link} type Query { media: [Media] } interface Media @key(fields: "id") { id: ID! title: String }
       type Book implements Media @key(fields: "id") @authenticated { id: ID! title: String }`,
      `${link} type Media @interfaceObject @key(fields: "id") { id: ID! rating: Int }`,
    ],
    asking: [
      'Book.id',
      'Book.rating',
      'Book.title',
      'Media.id',
      'Media.rating',
      'Media.title',
      'Query.media',
    ],
  },
  {
    name: 'fields that are required of other types, on the way to a field',
    sdl: [
      `${link} type Query { a: A } type A @key(fields: "id") { id: ID! b: B @shareable }
       type B @shareable { secret: String @policy(policies: [["p"]]) }`,
      `${link} type A @key(fields: "id") { id: ID! b: B @external c: Int @requires(fields: "b { secret }") @policy(policies: [["p"]]) }
       type B { secret: String @external }`,
    ],
    edit: [/(requires: "b \{ ?secret ?\}"\)) @policy\(policies: \[\["p"\]\]\)/, '$1'],
    asking: ['A.c', 'B.secret'],
  },
  {
    name: 'a value of the context that a field is computed from (CVE-2025-64173)',
    sdl: [
      `${context} type Query { shop: Shop }
       type Shop @key(fields: "id") @context(name: "shop") { id: ID! user: User vat: String! @authenticated }
       type User @key(fields: "id") { id: ID! price(vat: String @fromContext(field: "$shop { vat }")): Int @authenticated }`,
    ],
    edit: [/(price: .*) @authenticated/, '$1'],
    asking: ['Shop.vat', 'User.price'],
  },
  {
    name: 'keys, which are told of',
    sdl: [
      `${link} type Query { a: A } type A @key(fields: "id b { x }") { id: ID! @authenticated b: B } type B { x: Int @authenticated }`,
    ],
    asking: ['A.id', 'B.x'],
    keys: ['A.id', 'B.x'],
  },
]

for (const { name, sdl, edit, asking, keys = [] } of cases) {
  test(`what a supergraph asks of callers: ${name}`, async () => {
    const { supergraphSdl: composed } = await composeSupergraph(
      sdl.map((text, index) => ({ name: `s${index}`, sdl: text })),
    )
    const edited = edit === undefined ? composed : composed.replace(...edit)
    assert.equal(edit !== undefined, edited !== composed, composed)
    const supergraph = parse(edited)
    const applied = readConditions(supergraph, readFeatures(supergraph))
    const conditions = fieldConditions(applied)
    const found = [...conditions].flatMap(([type, fields]) =>
      [...fields.keys()].map((field) => `${type}.${field}`),
    )
    assert.deepEqual(found.sort(), asking)
    assert.deepEqual(protectedKeys(applied), keys)
  })
}
