import { type DirectiveNode, Kind, type OperationDefinitionNode, valueFromASTUntyped } from 'graphql'

/** When a selection counts: all of these have their value; undefined: always. */
export type Inclusion =
  | readonly { readonly variable: string | undefined; readonly literal: boolean; readonly is: boolean }[]
  | undefined

/** What `@include` and `@skip` of a selection say (GraphQL specification section 3.13). */
export function inclusionOf(node: { readonly directives?: readonly DirectiveNode[] | undefined }): Inclusion {
  if (node.directives === undefined || node.directives.length === 0) return undefined
  const found = node.directives.flatMap(({ name, arguments: [argument] = [] }) => {
    const isInclude = name.value === 'include'
    if ((!isInclude && name.value !== 'skip') || argument === undefined) return []
    const { value } = argument
    const variable = value.kind === Kind.VARIABLE ? value.name.value : undefined
    return { variable, literal: value.kind === Kind.BOOLEAN && value.value, is: isInclude }
  })
  return found.length === 0 ? undefined : found
}

/** Variables as a client sent them, with the defaults of the operation. */
export class Variables {
  readonly #sent: Readonly<Record<string, unknown>>
  readonly #operation: OperationDefinitionNode
  #defaults: Map<string, unknown> | undefined

  constructor(sent: Readonly<Record<string, unknown>> | undefined, operation: OperationDefinitionNode) {
    this.#sent = sent ?? {}
    this.#operation = operation
  }

  /** Undefined when it was not sent and has no default. */
  get(name: string): unknown {
    if (Object.hasOwn(this.#sent, name) && this.#sent[name] !== undefined) return this.#sent[name]
    this.#defaults ??= new Map(
      (this.#operation.variableDefinitions ?? []).flatMap(({ variable, defaultValue }) =>
        defaultValue === undefined ? [] : [[variable.name.value, valueFromASTUntyped(defaultValue)] as const],
      ),
    )
    return this.#defaults.get(name)
  }

  includes(inclusion: Inclusion): boolean {
    if (inclusion === undefined) return true
    for (const { variable, literal, is } of inclusion) {
      const value = variable === undefined ? literal : this.get(variable) === true
      if (value !== is) return false
    }
    return true
  }
}
