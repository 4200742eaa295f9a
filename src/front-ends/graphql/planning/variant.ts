import { type DirectiveNode, Kind, type OperationDefinitionNode, valueFromASTUntyped, visit } from 'graphql'
import { GatewayError } from '../../../core/error.ts'
import type { KnownOperation } from '../operation.ts'
import type { OverrideLabel } from './messages.ts'
import type { PlannedExecution, ProgressiveOverride } from './progressive-override.ts'

/** What the plan of an operation depends on besides its text. */
export interface Variants {
  /** Variables of `@skip`, `@include` and `@defer`, each with its default. */
  readonly conditions: readonly { readonly name: string; readonly byDefault: boolean | undefined }[]
  /** Labels of progressive `@override` on fields that it may have to do with. */
  readonly overrides: readonly string[]
}

/** One of the variants. */
export interface Variant {
  readonly conditions: Readonly<Record<string, boolean>>
  readonly overrides: readonly string[]
}

/** Finds what the plan of an operation depends on. */
export function variantsOf({ node, document }: KnownOperation, labels: readonly OverrideLabel[]): Variants {
  const names = new Set<string>()
  const fields = new Set<string>()
  visit(document, {
    Field: ({ name }) => void fields.add(name.value),
    Directive: (directive) => {
      const name = conditionVariable(directive)
      if (name !== undefined) names.add(name)
    },
  })
  const defaults = defaultsOf(node)
  const conditions = [...names]
    .filter((name) => defaults.has(name))
    .sort()
    .map((name) => ({ name, byDefault: defaults.get(name) }))
  const overrides = labels
    .filter(({ always, fields: moved }) => always || [...moved].some((name) => fields.has(name)))
    .map(({ label }) => label)
  return { conditions, overrides }
}

/**
 * Which variant a request asks for: `1` or `0` for each condition, then for each label; `''` where there is one only. Throws
 * INVALID_ARGUMENT for a condition that has no value.
 */
export function variantKey(
  { conditions, overrides }: Variants,
  execution: PlannedExecution,
  labels: ProgressiveOverride,
): string {
  const { variables } = execution
  let key = ''
  for (const { name, byDefault } of conditions) {
    const value = Object.hasOwn(variables, name) ? variables[name] : byDefault
    if (typeof value !== 'boolean') {
      const problem = `Variable "$${name}" decides what is selected and must be true or false.`
      throw new GatewayError('INVALID_ARGUMENT', problem)
    }
    key += value ? '1' : '0'
  }
  if (overrides.length === 0) return key
  const draw = labels.drawFor(execution)
  for (const label of overrides) key += labels.isOn(label, draw) ? '1' : '0'
  return key
}

/** The variant of that key. */
export function variantOf({ conditions, overrides }: Variants, key: string): Variant {
  return {
    conditions: Object.fromEntries(conditions.map(({ name }, index) => [name, key[index] === '1'])),
    overrides: overrides.filter((_, index) => key[conditions.length + index] === '1'),
  }
}

function conditionVariable({ name, arguments: given }: DirectiveNode): string | undefined {
  if (name.value !== 'skip' && name.value !== 'include' && name.value !== 'defer') return undefined
  const value = given?.find((argument) => argument.name.value === 'if')?.value
  return value?.kind === Kind.VARIABLE ? value.name.value : undefined
}

/** The variables of an operation with their default, where it is a truth value. */
function defaultsOf(node: OperationDefinitionNode): Map<string, boolean | undefined> {
  return new Map(
    (node.variableDefinitions ?? []).map(({ variable, defaultValue }) => {
      const value = defaultValue === undefined ? undefined : valueFromASTUntyped(defaultValue)
      return [variable.name.value, typeof value === 'boolean' ? value : undefined]
    }),
  )
}
