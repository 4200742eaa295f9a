import type { ReflectList, ReflectMessage } from '@bufbuild/protobuf/reflect'
import type { Violation } from '../../core/error.ts'
import { messageOf } from '../../core/message-of.ts'
import type { TextField } from './binding.ts'
import { type FieldPath, reachParent } from './field-path.ts'

/** What text a field is set to, and where to say so when that does not work. */
export interface FieldText {
  /** One, or several for a repeated field. */
  readonly values: readonly string[]
  readonly violations: Violation[]
  /** Whether it may take the place of another member of its oneof: the right of the path, not of the query. */
  readonly replace: boolean
}

/** Sets a field from path or query text; what does not fit becomes a violation. */
export function setField(
  message: ReflectMessage,
  { path, read }: TextField,
  { values, violations, replace }: FieldText,
): void {
  const { leaf, name } = path
  if (leaf.fieldKind !== 'list' && values.length > 1) {
    violations.push({ field: name, detail: 'is given more than once' })
  } else if (!replace && oneofTaken(message, path)) {
    violations.push({ field: name, detail: 'belongs to a oneof of which another member is set' })
  } else {
    try {
      const parent = reachParent(message, path)
      if (leaf.fieldKind === 'list') addAll(parent.get(leaf), values.map(read))
      else parent.set(leaf, read(values[0] ?? ''))
    } catch (cause) {
      violations.push({ field: name, detail: messageOf(cause) })
    }
  }
}

function addAll(list: ReflectList, items: readonly unknown[]): void {
  for (const item of items) list.add(item)
}

function oneofTaken(message: ReflectMessage, path: FieldPath): boolean {
  let scope = message
  for (const field of [...path.parents, path.leaf]) {
    const taken = field.oneof === undefined ? undefined : scope.oneofCase(field.oneof)
    if (taken !== undefined && taken !== field) return true
    if (field === path.leaf || !scope.isSet(field)) return false
    scope = scope.get(field) as ReflectMessage
  }
  return false
}
