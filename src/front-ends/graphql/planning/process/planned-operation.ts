import {
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  print,
  type SelectionNode,
  type SelectionSetNode,
  visit,
} from 'graphql'
import { fragmentsOf } from '../../fragments.ts'
import { liftFields } from './lift-fields.ts'
import type { PlannerSupergraph } from './planner-supergraph.ts'
import { keysOf, type ResponseKeys } from './response-keys.ts'

/** An operation as the planner gets it. */
export interface PlannedOperation {
  /** Without conditions. Undefined: the planner is not needed, nothing is selected. */
  readonly document: DocumentNode | undefined
  /** The same as text, for the answer; `__typename @skip(if: true)` stands where nothing is selected. Undefined: just as it came. */
  readonly text: string | undefined
  /** Response keys that are not the client's, with the client's. */
  readonly responseKeys: Readonly<Record<string, string>>
}

/** What {@link plannedOperation} needs. */
export interface PlannedOperationOptions {
  readonly operationName: string
  /** Value of each variable in a condition. */
  readonly conditions: Readonly<Record<string, boolean>>
  readonly supergraph: Pick<PlannerSupergraph, 'ownKeys' | 'fieldNames' | 'lifted'>
}

/**
 * Cures two mistakes of the planner by what it is asked: fetches beside a conditional `@requires` are lost (so conditions are decided
 * before planning), and a response key of the client's that the planner needs for something else gets the client's data (so it is
 * given another name).
 */
export function plannedOperation(document: DocumentNode, options: PlannedOperationOptions): PlannedOperation {
  const { operationName, conditions, supergraph } = options
  const operation = document.definitions.find(
    (node): node is OperationDefinitionNode =>
      node.kind === Kind.OPERATION_DEFINITION && (operationName === '' || node.name?.value === operationName),
  )
  if (operation === undefined) throw new Error(`The document has no operation "${operationName}".`)
  const decided = decideConditions(document, operation, conditions)
  const used = { kind: Kind.DOCUMENT, definitions: decided.definitions } as const
  const keys = keysOf(used, supergraph)
  const renamed = keys.clientKeys.size === 0 ? used : rename(used, keys)
  return {
    document: decided.empty ? undefined : liftFields(withoutPlaceholders(renamed), supergraph.lifted),
    text: decided.changed || keys.clientKeys.size > 0 ? print(renamed) : undefined,
    responseKeys: Object.fromEntries(keys.clientKeys),
  }
}

interface Decided {
  readonly definitions: readonly (OperationDefinitionNode | FragmentDefinitionNode)[]
  readonly changed: boolean
  readonly empty: boolean
}

/** The operation and the fragments that it still uses, without `@skip` and `@include`; `@defer` keeps no condition either. */
function decideConditions(
  document: DocumentNode,
  operation: OperationDefinitionNode,
  values: Readonly<Record<string, boolean>>,
): Decided {
  const sources = fragmentsOf(document)
  const fragments = new Map<string, FragmentDefinitionNode | undefined>()
  let changed = false
  const root = decide(operation.selectionSet)
  const kept = [...fragments.values()].filter((node) => node !== undefined)
  const selectionSet = root ?? placeholder
  return { definitions: [{ ...operation, selectionSet }, ...kept], changed, empty: root === undefined }

  /** Undefined: nothing is selected. */
  function decide(set: SelectionSetNode): SelectionSetNode | undefined {
    const selections = set.selections.flatMap((node) => decideSelection(node) ?? [])
    return selections.length === 0 ? undefined : { ...set, selections }
  }

  function decideSelection(node: SelectionNode): SelectionNode | undefined {
    const directives = decideDirectives(node.directives ?? [])
    if (directives === undefined) return undefined
    if (node.kind === Kind.FRAGMENT_SPREAD)
      return fragment(node.name.value) === undefined ? undefined : { ...node, directives }
    if (node.selectionSet === undefined) return { ...node, directives }
    const selectionSet = decide(node.selectionSet)
    if (selectionSet !== undefined) return { ...node, directives, selectionSet } as SelectionNode
    return node.kind === Kind.FIELD ? { ...node, directives, selectionSet: placeholder } : undefined
  }

  function fragment(name: string): FragmentDefinitionNode | undefined {
    if (fragments.has(name)) return fragments.get(name)
    const source = sources.get(name)
    const selectionSet = source === undefined ? undefined : decide(source.selectionSet)
    const decided =
      source === undefined || selectionSet === undefined ? undefined : { ...source, selectionSet }
    fragments.set(name, decided)
    return decided
  }

  /** Undefined: what they stand on is left out. */
  function decideDirectives(directives: readonly DirectiveNode[]): DirectiveNode[] | undefined {
    const kept: DirectiveNode[] = []
    for (const node of directives) {
      const condition = conditionOf(node)
      if (condition === undefined) {
        kept.push(node)
        continue
      }
      changed = true
      const holds = typeof condition === 'boolean' ? condition : values[condition] === true
      if (node.name.value === 'defer') {
        if (holds)
          kept.push({ ...node, arguments: node.arguments?.filter(({ name }) => name.value !== 'if') ?? [] })
      } else if (holds === (node.name.value === 'skip')) return undefined
    }
    return kept
  }
}

/** The value of a condition, or the variable that has it; undefined: the directive is none. */
function conditionOf(node: DirectiveNode): boolean | string | undefined {
  if (!conditional.has(node.name.value)) return undefined
  const value = node.arguments?.find(({ name }) => name.value === 'if')?.value
  if (value?.kind === Kind.VARIABLE) return value.name.value
  return value?.kind === Kind.BOOLEAN ? value.value : undefined
}

function rename(document: DocumentNode, keys: ResponseKeys): DocumentNode {
  return visit(document, {
    Field: (node: FieldNode) => {
      const key = keys.plannedKey(node)
      return key === undefined ? undefined : { ...node, alias: { kind: Kind.NAME, value: key } }
    },
  })
}

function withoutPlaceholders(document: DocumentNode): DocumentNode {
  return visit(document, { Field: (node) => (node.directives?.[0] === skipped ? typename : undefined) })
}

const conditional = new Set(['skip', 'include', 'defer'])
const typename: FieldNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } }
const skipped: DirectiveNode = {
  kind: Kind.DIRECTIVE,
  name: { kind: Kind.NAME, value: 'skip' },
  arguments: [
    {
      kind: Kind.ARGUMENT,
      name: { kind: Kind.NAME, value: 'if' },
      value: { kind: Kind.BOOLEAN, value: true },
    },
  ],
}
const placeholder: SelectionSetNode = {
  kind: Kind.SELECTION_SET,
  selections: [{ ...typename, directives: [skipped] }],
}
