import type { DeferNode } from '@apollo/query-planner'
import {
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentSpreadNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  type InlineFragmentNode,
  isInterfaceType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  parse,
  type SelectionSetNode,
  visit,
} from 'graphql'
import { type Fragments, fragmentsOf } from '../fragments.ts'
import { Variables } from '../inclusion.ts'
import type { KnownOperation } from '../operation.ts'
import type { Plan } from '../planning/plan.ts'
import { compilePlan, type PlanOptions, type Step } from './compile-plan.ts'
import { compileObject } from './projection.ts'
import type { Write } from './writing.ts'

/** A part of an operation that is answered by itself. */
export interface Part {
  readonly label: string | undefined
  /** Where its objects are, from the root. */
  readonly path: readonly PathStep[]
  /** Of its objects, as far as the operation tells. */
  readonly type: GraphQLNamedType | undefined
  /** Undefined: all is there already. */
  readonly fetch: Step | undefined
  /** What it says of an object of a type; undefined: it has nothing to say itself. */
  readonly write: ((type: string) => Write) | undefined
  /** What is answered after it. */
  readonly parts: readonly Part[]
}

/** A field, by its keys in the data and for the client, or a condition on the type of the object. */
export type PathStep = { readonly key: string; readonly clientKey: string } | { readonly type: string }

/** What parts are compiled with. */
export interface DeferOptions extends PlanOptions {
  readonly schema: GraphQLSchema
}

/** Compiles a plan whose answer comes in parts: the first is that at the root. */
export function compileParts(plan: Plan, operation: KnownOperation, options: DeferOptions): Part | undefined {
  if (plan.node?.kind !== 'Defer') return undefined
  const responseKeys = new Map(Object.entries(plan.responseKeys))
  const document =
    plan.document === undefined ? operation.document : parse(plan.document, { noLocation: true })
  const planned = document.definitions.find(({ kind }) => kind === Kind.OPERATION_DEFINITION)
  const node = plan.document === undefined ? operation.node : (planned as OperationDefinitionNode)
  const compiling = { ...options, operation: node, fragments: fragmentsOf(document), responseKeys }
  const root = compileDefer(plan.node, { label: undefined, ...follow([], compiling) }, compiling)
  // The plan does not tell of objects of which everything is deferred.
  const first = withoutDeferred(document)
  const set = first.definitions.find(
    (one) => one.kind === Kind.OPERATION_DEFINITION && one.name?.value === node.name?.value,
  )
  if (set === undefined || !('selectionSet' in set)) return root
  return { ...root, write: compileSets([set.selectionSet], { ...compiling, fragments: fragmentsOf(first) }) }
}

type PartPlace = Pick<Part, 'label' | 'path' | 'type'>

interface Compiling extends DeferOptions {
  readonly operation: OperationDefinitionNode
  readonly fragments: Fragments
  readonly responseKeys: ReadonlyMap<string, string>
}

function compileDefer({ primary, deferred }: DeferNode, place: PartPlace, compiling: Compiling): Part {
  return {
    ...place,
    fetch: primary.node === undefined ? undefined : compilePlan(primary.node, compiling),
    write: primary.subselection === undefined ? undefined : compileWrite(primary.subselection, compiling),
    parts: deferred.map(({ label, queryPath, subselection, node }): Part => {
      const place: PartPlace = { label, ...follow(queryPath, compiling) }
      if (node?.kind === 'Defer') return compileDefer(node, place, compiling)
      return {
        ...place,
        fetch: node === undefined ? undefined : compilePlan(node, compiling),
        write: subselection === undefined ? undefined : compileWrite(subselection, compiling),
        parts: [],
      }
    }),
  }
}

/** The text of a selection set as what it writes of an object, by the object's type. */
function compileWrite(text: string, compiling: Compiling): (type: string) => Write {
  const [definition] = parse(text, { noLocation: true }).definitions
  if (definition?.kind !== Kind.OPERATION_DEFINITION) throw new Error('A part of a plan is no selection set.')
  return compileSets([definition.selectionSet], { ...compiling, fragments: new Map() })
}

function compileSets(
  sets: readonly SelectionSetNode[],
  { schema, operation, fragments, responseKeys }: Compiling,
): (type: string) => Write {
  const writes = new Map<string, Write>()
  return (name) => {
    let write = writes.get(name)
    if (write === undefined) {
      const type = schema.getType(name)
      const variables = new Variables({}, operation)
      if (isObjectType(type))
        write = compileObject(sets, type, { schema, fragments, variables, responseKeys })
      if (write === undefined) throw new Error(`Objects of type "${name}" must say what they are.`)
      writes.set(name, write)
    }
    return write
  }
}

/** The way of a plan to objects: keys, and `... on Type`. */
function follow(queryPath: readonly string[], compiling: Compiling): Pick<Part, 'path' | 'type'> {
  const { schema, operation, fragments, responseKeys } = compiling
  let type: GraphQLNamedType | undefined = schema.getRootType(operation.operation) ?? undefined
  let sets: readonly SelectionSetNode[] = [operation.selectionSet]
  const path = queryPath.map((part): PathStep => {
    const [, condition] = /^\.\.\. on (.+)$/.exec(part) ?? []
    if (condition !== undefined) {
      type = schema.getType(condition)
      return { type: condition }
    }
    const fields = sets.flatMap((set) => fieldsOf(set, part, fragments))
    const name = fields[0]?.name.value ?? ''
    const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[name] : undefined
    type = field === undefined ? undefined : getNamedType(field.type)
    sets = fields.flatMap(({ selectionSet }) => selectionSet ?? [])
    return { key: part, clientKey: responseKeys.get(part) ?? part }
  })
  return { path, type }
}

function withoutDeferred(document: DocumentNode): DocumentNode {
  const cut = (node: FragmentSpreadNode | InlineFragmentNode): null | undefined =>
    node.directives?.some(isDefer) === true ? null : undefined
  return visit(document, { FragmentSpread: cut, InlineFragment: cut })
}

function isDefer({ name, arguments: given = [] }: DirectiveNode): boolean {
  const condition = given.find((one) => one.name.value === 'if')?.value
  return name.value === 'defer' && !(condition?.kind === Kind.BOOLEAN && !condition.value)
}

function fieldsOf({ selections }: SelectionSetNode, key: string, fragments: Fragments): FieldNode[] {
  return selections.flatMap((node) => {
    if (node.kind === Kind.FIELD) return (node.alias ?? node.name).value === key ? node : []
    const fragment = node.kind === Kind.INLINE_FRAGMENT ? node : fragments.get(node.name.value)
    return fragment === undefined ? [] : fieldsOf(fragment.selectionSet, key, fragments)
  })
}
