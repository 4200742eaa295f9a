import { type DocumentNode, Kind } from 'graphql'

/** The types of a supergraph, those that clients do not see included: which objects meet which type condition. */
export class TypeConditions {
  readonly #objects = new Set<string>()
  /** By type: itself, its interfaces, the unions that it is of. */
  readonly #met = new Map<string, Set<string>>()

  constructor(supergraph: DocumentNode) {
    for (const node of supergraph.definitions) {
      if (node.kind === Kind.UNION_TYPE_DEFINITION) {
        for (const member of node.types ?? []) this.#of(member.name.value).add(node.name.value)
      } else if (node.kind === Kind.OBJECT_TYPE_DEFINITION || node.kind === Kind.INTERFACE_TYPE_DEFINITION) {
        if (node.kind === Kind.OBJECT_TYPE_DEFINITION) this.#objects.add(node.name.value)
        const met = this.#of(node.name.value)
        for (const { name } of node.interfaces ?? []) met.add(name.value)
      }
    }
  }

  meets(typename: string, condition: string): boolean {
    return this.#met.get(typename)?.has(condition) === true
  }

  /** Whether the name is that of an object or an interface. */
  isKnown(typename: string): boolean {
    return this.#met.has(typename)
  }

  /** Whether the name is that of objects, and not of an interface that stands for them (`@interfaceObject`). */
  isConcrete(typename: string): boolean {
    return this.#objects.has(typename)
  }

  #of(typename: string): Set<string> {
    let met = this.#met.get(typename)
    if (met === undefined) {
      met = new Set([typename])
      this.#met.set(typename, met)
    }
    return met
  }
}
