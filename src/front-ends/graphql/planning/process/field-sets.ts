import {
  type ConstValueNode,
  type DocumentNode,
  type FieldDefinitionNode,
  type FieldNode,
  Kind,
  type NamedTypeNode,
  parse,
  print,
  type SelectionNode,
  type SelectionSetNode,
  stripIgnoredCharacters,
  type TypeNode,
  visit,
} from 'graphql'
import { argumentsOf } from '../../supergraph-features.ts'

/** A field without arguments that stands for a field with these arguments. */
export interface MadeField {
  readonly name: string
  readonly field: string
  readonly arguments: FieldNode['arguments']
  /** Types that have it. */
  readonly types: Set<string>
}

/** The field sets of a supergraph: which names they select, and which of their fields have arguments. */
export class FieldSets {
  readonly names = new Set(['__typename'])
  readonly fieldNames = new Set<string>()
  readonly made = new Map<string, MadeField>()
  readonly #byUse = new Map<string, MadeField>()
  /** Names of fields that a `@requires` gives arguments somewhere. */
  readonly #withArguments = new Set<string>()
  readonly #fields = new Map<string, ReadonlyMap<string, FieldDefinitionNode>>()
  /** Interface to the types that implement it. */
  readonly #implementers = new Map<string, string[]>()

  constructor(supergraph: DocumentNode) {
    for (const type of supergraph.definitions) {
      if (type.kind !== Kind.OBJECT_TYPE_DEFINITION && type.kind !== Kind.INTERFACE_TYPE_DEFINITION) continue
      this.#fields.set(type.name.value, new Map(type.fields?.map((field) => [field.name.value, field])))
      for (const { name, directives } of type.fields ?? []) {
        this.fieldNames.add(name.value)
        for (const directive of directives ?? []) this.#noteArguments(argumentsOf(directive).requires)
      }
      for (const { name } of type.interfaces ?? []) {
        const list = this.#implementers.get(name.value)
        if (list === undefined) this.#implementers.set(name.value, [type.name.value])
        else list.push(type.name.value)
      }
    }
  }

  /** Notes the names of a field set, an argument's value. */
  note(set: ConstValueNode | undefined): void {
    if (set?.kind === Kind.STRING) this.#noteText(`{${set.value}}`)
  }

  /** Notes what an entry of `contextArguments` selects (specs.apollo.dev/join/v0.5, `join__ContextArgument`). */
  noteContext(item: ConstValueNode): void {
    if (item.kind !== Kind.OBJECT) return
    const selection = item.fields.find(({ name }) => name.value === 'selection')?.value
    if (selection?.kind === Kind.STRING) this.#noteText(selection.value)
  }

  /** A field set of a type with a made-up field for each that has arguments, here or in another; `top`: those at its first level. */
  withoutArguments(set: string, type: string): { readonly text: string; readonly top: string[] } {
    const selections = this.#replaced(selectionSet(`{${set}}`), type)
    const text = stripIgnoredCharacters(print(selections)).slice(1, -1)
    this.#noteText(`{${text}}`)
    return { text, top: topNames(selections.selections).filter((name) => this.made.has(name)) }
  }

  #noteArguments(set: ConstValueNode | undefined): void {
    if (set?.kind !== Kind.STRING || !set.value.includes('(')) return
    visit(selectionSet(`{${set.value}}`), {
      Field: ({ name, arguments: given = [] }) =>
        void (given.length > 0 && this.#withArguments.add(name.value)),
    })
  }

  #noteText(text: string): void {
    visit(selectionSet(text), { Field: ({ name }) => void this.names.add(name.value) })
  }

  #replaced(set: SelectionSetNode, type: string): SelectionSetNode {
    const selections = set.selections.map((node): SelectionNode => {
      if (node.kind === Kind.FRAGMENT_SPREAD) return node
      if (node.kind === Kind.INLINE_FRAGMENT) {
        const inner = node.typeCondition?.name.value ?? type
        return { ...node, selectionSet: this.#replaced(node.selectionSet, inner) }
      }
      const definition = this.#fields.get(type)?.get(node.name.value)
      const inner =
        node.selectionSet === undefined || definition === undefined
          ? {}
          : { selectionSet: this.#replaced(node.selectionSet, namedType(definition.type)) }
      if (!this.#withArguments.has(node.name.value)) return { ...node, ...inner }
      const { name } = this.#madeFor(node, type)
      return { ...node, ...inner, arguments: [], name: { kind: Kind.NAME, value: name } }
    })
    return { ...set, selections }
  }

  #madeFor({ name: { value: field }, arguments: given }: FieldNode, type: string): MadeField {
    const use = `${field}(${given?.map((node) => print(node)).join()})`
    let made = this.#byUse.get(use)
    if (made === undefined) {
      made = { name: this.#freeName(field), field, arguments: given, types: new Set() }
      this.#byUse.set(use, made)
      this.made.set(made.name, made)
    }
    for (const one of [type, ...(this.#implementers.get(type) ?? [])]) made.types.add(one)
    return made
  }

  #freeName(field: string): string {
    let name = ''
    for (let n = this.made.size + 1; name === '' || this.fieldNames.has(name); n++) name = `${field}__r${n}`
    return name
  }
}

function topNames(selections: readonly SelectionNode[]): string[] {
  return selections.flatMap((node) => {
    if (node.kind === Kind.FIELD) return node.name.value
    return node.kind === Kind.INLINE_FRAGMENT ? topNames(node.selectionSet.selections) : []
  })
}

function selectionSet(text: string): SelectionSetNode {
  const [definition] = parse(text, { noLocation: true }).definitions
  if (definition?.kind !== Kind.OPERATION_DEFINITION) throw new Error(`"${text}" is no field set.`)
  return definition.selectionSet
}

function namedType(type: TypeNode): string {
  let inner = type
  while (inner.kind !== Kind.NAMED_TYPE) inner = inner.type
  return (inner satisfies NamedTypeNode).name.value
}
