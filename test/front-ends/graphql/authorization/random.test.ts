import assert from 'node:assert/strict'
import { it } from 'node:test'
import { buildSubgraphSchema } from '@apollo/subgraph'
import {
  buildSchema,
  type DocumentNode,
  execute,
  type FieldNode,
  type GraphQLFieldResolver,
  type GraphQLSchema,
  parse,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql'
import type { Principal } from '../../../../src/core/principal.ts'
import { limits, openDoor } from '../harness.ts'
import { Dice } from './dice.ts'
import { randomOperation } from './random-operation.ts'
import {
  mayHave,
  randomSchema,
  type SchemaPlan,
  scopes,
  sdlOf,
  type Thing,
  valueFor,
} from './random-schema.ts'
import { caller, frontEndTo, startRecording } from './recording.ts'

/**
 * Random directives in the schemas of two subgraphs, random operations, random callers. What must come out is what graphql-js makes of the
 * whole schema with resolvers that throw where the plan says that the caller may not have it; nothing of it is the gateway's code.
 */
const schemas = Number(process.env.RANDOM_SCHEMAS ?? 10)
const operations = 30

const generous = { ...limits, depth: 50, aliases: 2_000, rootFields: 500, directives: 2_000 }

for (let seed = 1; seed <= schemas; seed++) {
  it(`answers what a caller may have and asks for nothing else, in random schema ${seed}`, async () => {
    const dice = new Dice(seed * 7_919)
    const plan = randomSchema(dice)
    const whole = buildSchema(sdlOf(plan, undefined))
    const subgraphs = await Promise.all(
      ([0, 1] as const).map((index) =>
        startRecording(`s${index}`, { sdl: sdlOf(plan, index), resolvers: resolversOf(plan, index) }),
      ),
    )
    const subgraphSchemas = subgraphs.map(({ sdl }) => buildSubgraphSchema(parse(sdl)))
    const policies = new Map(
      scopes.map((name) => [name, (principal: Principal) => principal.scopes.includes(name)]),
    )
    let principal: Principal | undefined
    const door = await openDoor(
      await frontEndTo(subgraphs, { limits: generous, authorization: { policies } }),
      {
        onRequest: [
          (x) => {
            x.principal = principal
          },
        ],
      },
    )
    try {
      for (let i = 0; i < operations; i++) {
        const { query, variables } = randomOperation(plan, dice)
        // Others between, so that what is remembered of one caller is tried on another.
        for (const _ of [1, 2, 3]) {
          principal = dice.chance(0.25) ? undefined : caller(...scopes.filter(() => dice.chance(0.5)))
          const context = `${query}\n${JSON.stringify({ variables, principal })}`
          for (const { heard } of subgraphs) heard.length = 0
          const answer = await door.query(query, { variables })
          const document = parse(query)
          const refused = refusedIn(document, whole, (place) => !mayHave(plan, place, principal))
          const expected = execute({
            schema: whole,
            document,
            variableValues: variables,
            rootValue: { __typename: 'Query', id: 'root' },
            fieldResolver: resolverOf(plan, refused),
            typeResolver: (value) => (value as Thing).__typename,
          })
          if (expected instanceof Promise) throw new Error('nothing of it takes time')
          assert.deepEqual(plain(answer.data), plain(expected.data), context)
          assert.deepEqual(
            nullsOf(answer.data, answer.errors),
            nullsOf(
              expected.data,
              (expected.errors ?? []).map(({ path = [] }) => ({ path: [...path] })),
            ),
            context,
          )
          for (const { extensions } of answer.errors)
            assert.match(
              String(extensions.reason),
              /^(NO_CREDENTIALS|SCOPE_MISSING|POLICY_REFUSED)$/,
              context,
            )
          subgraphs.forEach(({ heard }, index) => {
            for (const body of heard) {
              const asked = parse((JSON.parse(body) as { query: string }).query)
              const schema = subgraphSchemas[index] as GraphQLSchema
              const fields = refusedIn(asked, schema, (place) => !mayHave(plan, place, principal))
              assert.deepEqual(
                [...fields].map((field) => field.name.value),
                [],
                `${body}\n${context}`,
              )
            }
          })
        }
      }
    } finally {
      await Promise.all([door.close(), ...subgraphs.map((one) => one.close())])
    }
  })
}

function resolversOf(plan: SchemaPlan, subgraph: 0 | 1): object {
  return Object.fromEntries(
    plan.types.map(({ name: owner, fields }) => {
      const own = fields.filter(({ home }) => home === undefined || home === subgraph)
      const resolvers = own.map(({ name: field, requires }) => [
        field,
        (thing: (Thing & Record<string, unknown>) | undefined) =>
          requires === undefined
            ? valueFor(plan, { owner, field, id: thing?.id ?? 'root' })
            : `${field} from ${thing?.[requires]}`,
      ])
      const reference = owner === 'Query' ? [] : [['__resolveReference', (thing: Thing) => ({ ...thing })]]
      return [owner, Object.fromEntries([...resolvers, ...reference])]
    }),
  )
}

/** The fields of a document that are refused, each where it stands. */
function refusedIn(
  document: DocumentNode,
  schema: GraphQLSchema,
  isRefused: (place: { typeName: string; fieldName: string }) => boolean,
): ReadonlySet<FieldNode> {
  const types = new TypeInfo(schema)
  const fields = new Set<FieldNode>()
  visit(
    document,
    visitWithTypeInfo(types, {
      Field(node) {
        const typeName = types.getParentType()?.name ?? ''
        const fieldName = node.name.value
        if (fieldName !== '__typename' && isRefused({ typeName, fieldName })) fields.add(node)
      },
    }),
  )
  return fields
}

function resolverOf(plan: SchemaPlan, refused: ReadonlySet<FieldNode>): GraphQLFieldResolver<Thing, unknown> {
  return ({ id }, _arguments, _context, { fieldNodes, parentType, fieldName }) => {
    if (fieldNodes.every((node) => refused.has(node))) throw new Error('refused')
    return valueFor(plan, { owner: parentType.name, field: fieldName, id })
  }
}

/** The places that are null for an error, each once: which of two errors that null the same place is named is nobody's promise. */
function nullsOf(
  data: unknown,
  errors: readonly { readonly path?: readonly (string | number)[] }[],
): string[] {
  const places = errors.map(({ path = [] }) => {
    let value = data
    let at = ''
    for (const key of path) {
      if (value === null) break
      value = (value as Record<string | number, unknown>)[key]
      at += `.${key}`
    }
    return at
  })
  return [...new Set(places)].sort()
}

/** Without prototypes and undefined members. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
}
