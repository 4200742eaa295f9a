import { printSchema, Supergraph } from '@apollo/federation-internals'
import {
  type DefinitionNode,
  type DocumentNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  parse,
  print,
  type SelectionNode,
  validate,
  visit,
} from 'graphql'
import { compared, type Outcome, type Pair, pairFor } from './case.ts'
import type { Query } from './generate-query.ts'
import type { World } from './world.ts'

/** A case in which nothing can be left out without its difference going away. */
export interface Smallest {
  readonly pair: Pair
  readonly query: Query
  readonly faults: World['faults']
  readonly outcome: Outcome
  /** No more is tried after that, by the clock of `performance.now`. */
  readonly until: number
}

/** Leaves out selections, arguments, directives and variables, then fields, types and subgraphs, as long as the difference stays. */
export async function shrink(pair: Pair, query: Query, faults: World['faults']): Promise<Smallest> {
  const outcome = await compared(pair, query, faults)
  let smallest: Smallest = { pair, query, faults, outcome, until: performance.now() + 30_000 }
  if (faults.rate > 0) smallest = (await tried(smallest, { faults: { ...faults, rate: 0 } })) ?? smallest
  smallest = await smallerQuery(smallest)
  smallest = await smallerSchema(smallest)
  return smallerQuery(smallest)
}

export async function smallerQuery(from: Smallest): Promise<Smallest> {
  const whole = print(inlined(parse(from.query.text)))
  let smallest = (await tried(from, { query: { ...from.query, text: whole } })) ?? from
  for (let at = 0; ; ) {
    const text = changed(smallest.query.text, at)
    if (text === undefined) break
    const isLess = text.length < smallest.query.text.length
    const next = isLess ? await tried(smallest, { query: { ...smallest.query, text } }) : undefined
    if (next === undefined) at++
    else smallest = next
  }
  for (const name of Object.keys(smallest.query.variables)) {
    const { [name]: _, ...variables } = smallest.query.variables
    smallest = (await tried(smallest, { query: { ...smallest.query, variables } })) ?? smallest
  }
  return smallest
}

/** The text without the part of that number; undefined: there is none of that number. */
function changed(text: string, number: number): string | undefined {
  let count = 0
  let done = false
  const isIt = () => {
    if (done || count++ !== number) return false
    done = true
    return true
  }
  const result = visit(parse(text, { noLocation: true }), {
    enter: (node) => {
      if (node.kind === Kind.SELECTION_SET) {
        // First an inline fragment goes away with what is in it, then without.
        const selections = node.selections.flatMap((one) => {
          if (one.kind !== Kind.INLINE_FRAGMENT) return [one]
          return isIt() ? [] : isIt() ? one.selectionSet.selections : [one]
        })
        return { ...node, selections: selections.length === 0 ? [typename] : selections }
      }
      return droppable.has(node.kind) && isIt() ? null : undefined
    },
    leave: (node) =>
      node.kind === Kind.SELECTION_SET && node.selections.length === 0
        ? { ...node, selections: [typename] }
        : undefined,
  })
  return done ? print(visit(result, { OperationDefinition: withoutUnused })) : undefined
}

function withoutUnused(node: OperationDefinitionNode): OperationDefinitionNode {
  const used = new Set(print({ ...node, variableDefinitions: [] }).match(/(?<=\$)\w+/g))
  const variableDefinitions = (node.variableDefinitions ?? []).filter(({ variable }) =>
    used.has(variable.name.value),
  )
  return { ...node, variableDefinitions }
}

const droppable = new Set<string>([Kind.FIELD, Kind.ARGUMENT, Kind.DIRECTIVE, Kind.OBJECT_FIELD])
const typename: SelectionNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } }

function inlined(document: DocumentNode): DocumentNode {
  const fragments = new Map(
    document.definitions.flatMap((node): [string, FragmentDefinitionNode][] =>
      node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node]] : [],
    ),
  )
  const definitions = document.definitions.filter(({ kind }) => kind !== Kind.FRAGMENT_DEFINITION)
  return visit(
    { ...document, definitions },
    {
      FragmentSpread: ({ name, directives = [] }) => {
        const found = fragments.get(name.value)
        return (
          found && {
            kind: Kind.INLINE_FRAGMENT as const,
            typeCondition: found.typeCondition,
            directives,
            selectionSet: found.selectionSet,
          }
        )
      },
    },
  )
}

async function smallerSchema(from: Smallest): Promise<Smallest> {
  let smallest = from
  for (const { name } of from.pair.subgraphs)
    smallest = (await withSdls(smallest, name, undefined)) ?? smallest
  for (const { name } of smallest.pair.subgraphs) {
    for (let step = 0; step < 2; step++) {
      for (let at = 0; ; ) {
        const sdl = smallest.pair.subgraphs.find((one) => one.name === name)?.sdl ?? ''
        const less = without(sdl, { number: at, whole: step === 0 })
        if (less === undefined) break
        const next = await withSdls(smallest, name, less)
        if (next === undefined) at++
        else smallest = next
      }
    }
  }
  return smallest
}

/** The SDL without its type, or field, of that number. */
function without(sdl: string, { number, whole }: { number: number; whole: boolean }): string | undefined {
  const document = parse(sdl, { noLocation: true })
  if (whole) {
    const definitions = document.definitions.filter((_, at) => at !== number + 1)
    return number + 1 < document.definitions.length ? print({ ...document, definitions }) : undefined
  }
  let count = 0
  let done = false
  const less = visit(document, {
    enter: (node) => {
      const isPart = node.kind === Kind.FIELD_DEFINITION || node.kind === Kind.INPUT_VALUE_DEFINITION
      if (done || !isPart || count++ !== number) return undefined
      done = true
      return null
    },
  })
  const definitions = less.definitions.filter(
    (node) => !('fields' in node) || node.fields === undefined || node.fields.length > 0,
  )
  return done ? print({ ...less, definitions: definitions as DefinitionNode[] }) : undefined
}

async function withSdls(
  from: Smallest,
  name: string,
  sdl: string | undefined,
): Promise<Smallest | undefined> {
  const subgraphs = new Map(from.pair.subgraphs.map((one) => [one.name, one.name === name ? sdl : one.sdl]))
  if (performance.now() > from.until) return undefined
  const kept = new Map([...subgraphs].flatMap(([key, text]) => (text === undefined ? [] : [[key, text]])))
  try {
    const { supergraphSdl } =
      (await pairFor(from.pair.world.model, { subgraphs: kept, api: 'type Query { a: Int }' })) ?? {}
    if (supergraphSdl === undefined) return undefined
    const api = printSchema(Supergraph.build(supergraphSdl).apiSchema())
    const pair = await pairFor(from.pair.world.model, { subgraphs: kept, api })
    return pair && (await tried(from, { pair }))
  } catch {
    return undefined
  }
}

/** The case so changed, when it is valid and differs in the same way. */
async function tried(from: Smallest, change: Partial<Smallest>): Promise<Smallest | undefined> {
  const { pair, query, faults, until } = { ...from, ...change }
  if (performance.now() > until) return undefined
  try {
    if (validate(pair.monolith.schema, parse(query.text)).length > 0) return undefined
    const outcome = await compared(pair, query, faults)
    // Data of a type that was left out is no difference of the gateway's.
    const isData = !outcome.differences.some((text) => text.includes('Abstract type'))
    return isData && kindOf(outcome) === kindOf(from.outcome)
      ? { pair, query, faults, outcome, until }
      : undefined
  } catch {
    return undefined
  }
}

/** The first difference without what is told apart by numbers and names. */
export function kindOf({ differences }: Outcome): string {
  const kinds = differences.map((text) => text.replace(/[\d"[\]$({:].*/s, '').slice(0, 60))
  return kinds.find((kind) => kind !== 'data') ?? kinds[0] ?? ''
}
