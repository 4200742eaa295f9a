import {
  type ASTNode,
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type TypeNode,
  type ValueNode,
} from 'graphql'
import { GatewayError } from '../../core/error.ts'

/** How large an operation may be, fragments written out wherever they are spread. */
export interface OperationLimits {
  /** Fields on the longest way down; `{ me { name } }` is 2. Introspection fields have a rule of their own and are not counted. */
  readonly depth: number
  readonly aliases: number
  /** Tokens of the text; also the limit of fields and spreads once all fragments are written out. */
  readonly tokens: number
  readonly rootFields: number
  readonly directives: number
  /** Fragments that the document defines. */
  readonly fragments: number
}

/**
 * Throws GRAPHQL_LIMIT_EXCEEDED when an operation of the document is too large, and GRAPHQL_VALIDATION_FAILED for fragments that
 * spread themselves. Each node is visited once, however often its fragment is spread, so the time is linear in the text.
 */
export function checkLimits(document: DocumentNode, limits: OperationLimits): void {
  const walk = new CountingWalk(document, limits)
  let selections = 0
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) refuseAbove(limits, walk.fragment(definition))
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue
    const counts = walk.operation(definition)
    refuseAbove(limits, counts)
    if (counts.rootFields > limits.rootFields) throw above('root fields', limits.rootFields)
    selections += counts.selections
    if (selections > limits.tokens) throw above('fields with its fragments written out', limits.tokens)
  }
}

/** The refusal of an operation that has more than `limit` of something. */
export function above(what: string, limit: number): GatewayError {
  return new GatewayError(
    'GRAPHQL_LIMIT_EXCEEDED',
    `The operation has more ${what} than the limit of ${limit}.`,
  )
}

/** Levels of lists, objects and inline fragments, which nothing else counts; far above what people write. */
const maxNesting = 100

/** Selections of one selection set: validation compares each with each, and 4,000 hold up everyone for a third of a second. */
const maxBreadth = 250

interface Counts {
  depth: number
  aliases: number
  directives: number
  selections: number
  /** Fields of this very selection set, those of its fragments included. */
  rootFields: number
}

function refuseAbove(limits: OperationLimits, counts: Counts): void {
  if (counts.depth > limits.depth) throw above('levels', limits.depth)
  if (counts.aliases > limits.aliases) throw above('aliases', limits.aliases)
  if (counts.directives > limits.directives) throw above('directives', limits.directives)
  if (counts.selections > limits.tokens) throw above('fields with its fragments written out', limits.tokens)
}

class CountingWalk {
  readonly #fragments = new Map<string, FragmentDefinitionNode>()
  /** What is known of each fragment; `'open'` while it is being counted. */
  readonly #counts = new Map<string, Counts | 'open'>()
  readonly #maxNesting: number

  constructor(document: DocumentNode, limits: OperationLimits) {
    this.#maxNesting = limits.depth + maxNesting
    for (const definition of document.definitions) {
      if (definition.kind !== Kind.FRAGMENT_DEFINITION) continue
      const name = definition.name.value
      if (this.#fragments.has(name)) throw invalid(`There are two fragments named "${name}".`)
      this.#fragments.set(name, definition)
    }
    if (this.#fragments.size > limits.fragments) throw above('fragments', limits.fragments)
  }

  operation(node: OperationDefinitionNode): Counts {
    const counts = this.#selectionSet(node.selectionSet, 0)
    counts.directives += directives(node.directives)
    for (const variable of node.variableDefinitions ?? []) {
      counts.directives += directives(variable.directives)
      checkType(variable.type)
      if (variable.defaultValue !== undefined) checkValue(variable.defaultValue, 0)
    }
    return counts
  }

  fragment(node: FragmentDefinitionNode, nesting = 0): Counts {
    const name = node.name.value
    const known = this.#counts.get(name)
    if (known === 'open') throw invalid(`Fragment "${name}" spreads itself.`)
    if (known !== undefined) return known
    this.#counts.set(name, 'open')
    const counts = this.#selectionSet(node.selectionSet, nesting)
    counts.directives += directives(node.directives)
    this.#counts.set(name, counts)
    return counts
  }

  #selectionSet(node: SelectionSetNode, nesting: number): Counts {
    if (nesting > this.#maxNesting) throw above('nested selections', this.#maxNesting)
    if (node.selections.length > maxBreadth) throw above('selections side by side', maxBreadth)
    const total: Counts = { depth: 0, aliases: 0, directives: 0, selections: 0, rootFields: 0 }
    for (const selection of node.selections) {
      total.selections++
      total.directives += directives(selection.directives)
      if (selection.kind === Kind.FIELD) {
        this.#field(selection, nesting, total)
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        const counts = this.#selectionSet(selection.selectionSet, nesting + 1)
        add(total, counts, counts.depth)
        total.rootFields += counts.rootFields
      } else {
        const fragment = this.#fragments.get(selection.name.value)
        if (fragment === undefined) continue
        const counts = this.fragment(fragment, nesting + 1)
        add(total, counts, counts.depth)
        total.rootFields += counts.rootFields
      }
    }
    return total
  }

  #field(node: FieldNode, nesting: number, total: Counts): void {
    total.rootFields++
    if (node.alias !== undefined) total.aliases++
    for (const argument of node.arguments ?? []) checkValue(argument.value, 0)
    const introspective = node.name.value === '__schema' || node.name.value === '__type'
    if (node.selectionSet === undefined) {
      total.depth = Math.max(total.depth, 1)
      return
    }
    const counts = this.#selectionSet(node.selectionSet, nesting + 1)
    add(total, counts, introspective ? 1 : counts.depth + 1)
  }
}

function add(total: Counts, counts: Counts, depth: number): void {
  total.depth = Math.max(total.depth, depth)
  total.aliases += counts.aliases
  total.directives += counts.directives
  total.selections += counts.selections
}

function directives(nodes: readonly DirectiveNode[] | undefined): number {
  if (nodes === undefined) return 0
  for (const directive of nodes)
    for (const argument of directive.arguments ?? []) checkValue(argument.value, 0)
  return nodes.length
}

function checkValue(node: ValueNode, nesting: number): void {
  if (nesting > maxNesting) throw above('nested values', maxNesting)
  if (node.kind === Kind.LIST) for (const value of node.values) checkValue(value, nesting + 1)
  if (node.kind === Kind.OBJECT) for (const field of node.fields) checkValue(field.value, nesting + 1)
}

function checkType(node: TypeNode): void {
  let nesting = 0
  for (let type: ASTNode = node; type.kind !== Kind.NAMED_TYPE; type = type.type) {
    if (++nesting > maxNesting) throw above('nested types', maxNesting)
  }
}

function invalid(message: string): GatewayError {
  return new GatewayError('GRAPHQL_VALIDATION_FAILED', message)
}
