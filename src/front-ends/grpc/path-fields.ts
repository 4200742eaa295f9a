import { ScalarType } from '@bufbuild/protobuf'
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { Edition } from '@bufbuild/protobuf/wkt'
import type { Violation } from '../../core/error.ts'
import { messageOf } from '../../core/message-of.ts'
import type { Binding, TextField } from './binding.ts'

/**
 * Whether what the path says can simply be written behind an encoded message: of a scalar that comes twice the last counts, with
 * every decoder. Of a oneof and of a message within, some (protobufjs) keep both or lose the first; required fields want a check.
 */
export function pathGoesLast({ variables, method }: Binding): boolean {
  return method.desc.input.file.edition === Edition.EDITION_PROTO3 && variables.every(isPlain)
}

/** The message with the fields that the path sets behind it; what does not fit becomes a violation. */
export function appendPathFields(
  message: Uint8Array,
  { variables }: Binding,
  { values, violations }: { readonly values: readonly string[]; readonly violations: Violation[] },
): Uint8Array {
  if (variables.length === 0) return message
  const writer = new BinaryWriter().raw(message)
  for (let i = 0; i < variables.length; i++) {
    const field = variables[i]
    if (field === undefined) continue
    try {
      append(writer, field, values[i] ?? '')
    } catch (cause) {
      const detail = messageOf(cause)
      violations.push({ field: field.path.name, detail })
    }
  }
  return writer.finish()
}

function isPlain({ path: { parents, leaf } }: TextField): boolean {
  return parents.length === 0 && leaf.message === undefined && leaf.oneof === undefined
}

function append(writer: BinaryWriter, { path: { leaf }, read }: TextField, text: string): void {
  const type = leaf.scalar ?? ScalarType.INT32
  const [wireType, method] = writers[type]
  const value = read(text)
  writer.tag(leaf.number, wireType)
  // The reader of a field gives what its writer takes.
  ;(writer[method] as (value: unknown) => BinaryWriter)(value)
}

const { Varint, Bit64, LengthDelimited, Bit32 } = WireType
const writers = {
  [ScalarType.DOUBLE]: [Bit64, 'double'],
  [ScalarType.FLOAT]: [Bit32, 'float'],
  [ScalarType.INT64]: [Varint, 'int64'],
  [ScalarType.UINT64]: [Varint, 'uint64'],
  [ScalarType.INT32]: [Varint, 'int32'],
  [ScalarType.FIXED64]: [Bit64, 'fixed64'],
  [ScalarType.FIXED32]: [Bit32, 'fixed32'],
  [ScalarType.BOOL]: [Varint, 'bool'],
  [ScalarType.STRING]: [LengthDelimited, 'string'],
  [ScalarType.BYTES]: [LengthDelimited, 'bytes'],
  [ScalarType.UINT32]: [Varint, 'uint32'],
  [ScalarType.SFIXED32]: [Bit32, 'sfixed32'],
  [ScalarType.SFIXED64]: [Bit64, 'sfixed64'],
  [ScalarType.SINT32]: [Varint, 'sint32'],
  [ScalarType.SINT64]: [Varint, 'sint64'],
} as const satisfies Record<ScalarType, readonly [WireType, keyof BinaryWriter]>
