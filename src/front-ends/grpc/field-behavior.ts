import type { DescField } from '@bufbuild/protobuf'
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import type { FieldOptions } from '@bufbuild/protobuf/wkt'
import type protobuf from 'protobufjs'

/** What an API says about the use of a field. Source: `google/api/field_behavior.proto`, AIP-203. */
export type FieldBehavior = (typeof behaviors)[number]

/** In the order of their numbers. */
const behaviors = [
  'FIELD_BEHAVIOR_UNSPECIFIED',
  'OPTIONAL',
  'REQUIRED',
  'OUTPUT_ONLY',
  'INPUT_ONLY',
  'IMMUTABLE',
  'UNORDERED_LIST',
  'NON_EMPTY_DEFAULT',
  'IDENTIFIER',
] as const

/** The `(google.api.field_behavior)` of a field; a number that is not known says nothing. */
export function fieldBehaviors({ proto }: DescField): ReadonlySet<FieldBehavior> {
  const found = new Set<FieldBehavior>()
  for (const { no, wireType, data } of proto.options?.$unknown ?? []) {
    if (no !== extensionNumber) continue
    const reader = new BinaryReader(data)
    const end = wireType === WireType.LengthDelimited ? reader.uint32() + reader.pos : data.length
    while (reader.pos < end) {
      const behavior = behaviors[reader.int32()]
      if (behavior !== undefined) found.add(behavior)
    }
  }
  return found
}

/** Puts the option of a parsed field where a compiled descriptor has it: among the extensions that nobody here knows. */
export function keepBehaviors(options: FieldOptions | undefined, field: protobuf.FieldBase): void {
  const parsed = (field.parsedOptions ?? []) as readonly Readonly<Record<string, unknown>>[]
  const unknown = parsed
    .map((option) => behaviors.indexOf(option[optionName] as FieldBehavior))
    .filter((number) => number > 0)
    .map((number) => ({
      no: extensionNumber,
      wireType: WireType.Varint,
      data: new BinaryWriter().int32(number).finish(),
    }))
  if (options !== undefined && unknown.length > 0) options.$unknown = unknown
}

const optionName = '(google.api.field_behavior)'
const extensionNumber = 1052
