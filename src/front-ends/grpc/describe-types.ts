import { create } from '@bufbuild/protobuf'
import { protoCamelCase } from '@bufbuild/protobuf/reflect'
import {
  type DescriptorProto,
  DescriptorProtoSchema,
  type EnumDescriptorProto,
  EnumDescriptorProtoSchema,
  type FieldDescriptorProto,
  FieldDescriptorProtoSchema,
  FieldDescriptorProto_Type as FieldType,
  MethodOptions_IdempotencyLevel as Idempotency,
  FieldDescriptorProto_Label as Label,
  FeatureSet_FieldPresence as Presence,
  type ServiceDescriptorProto,
  ServiceDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt'
import protobuf from 'protobufjs'
import { keepBehaviors } from './field-behavior.ts'

/** How the file of a declaration is written; it decides what presence and packing mean. */
export type Syntax = 'proto2' | 'proto3' | 'editions'

/** A message with its nested types; names are absolute, `json_name` is always there. */
export function describeMessage(type: protobuf.Type, syntax: Syntax): DescriptorProto {
  const oneofs = type.oneofsArray.filter((oneof) => !oneof.isProto3Optional)
  // Fields that other files add by `extend` stand in the tree under names that begin with a dot.
  const fields = type.fieldsArray.filter(
    (field) => field.declaringField === null && !field.name.startsWith('.'),
  )
  return create(DescriptorProtoSchema, {
    name: type.name,
    field: fields.map((field) => {
      const proto =
        field instanceof protobuf.MapField ? describeMapField(field) : describeField(field, syntax)
      keepBehaviors(proto.options, field)
      const oneofIndex = field.partOf === null ? -1 : oneofs.indexOf(field.partOf)
      if (oneofIndex >= 0) proto.oneofIndex = oneofIndex
      return proto
    }),
    oneofDecl: oneofs.map((oneof) => ({ name: oneof.name })),
    options: { deprecated: isDeprecated(type) },
    nestedType: [
      ...type.nestedArray
        .filter((one) => one instanceof protobuf.Type)
        .map((nested) => describeMessage(nested, syntax)),
      ...fields.filter((field) => field instanceof protobuf.MapField).map(describeMapEntry),
    ],
    enumType: type.nestedArray.filter((one) => one instanceof protobuf.Enum).map(describeEnum),
  })
}

/** An enum; the first of its values is its default. */
export function describeEnum(type: protobuf.Enum): EnumDescriptorProto {
  return create(EnumDescriptorProtoSchema, {
    name: type.name,
    value: Object.entries(type.values).map(([name, number]) => ({
      name,
      number,
      options: { deprecated: type.valuesOptions?.[name]?.deprecated === true },
    })),
    options: { deprecated: isDeprecated(type) },
  })
}

/** A service with its methods; of their options only the idempotency level and deprecation. */
export function describeService(service: protobuf.Service): ServiceDescriptorProto {
  return create(ServiceDescriptorProtoSchema, {
    name: service.name,
    method: service.methodsArray.map((method) => ({
      name: method.name,
      inputType: method.resolvedRequestType?.fullName ?? method.requestType,
      outputType: method.resolvedResponseType?.fullName ?? method.responseType,
      clientStreaming: method.requestStream === true,
      serverStreaming: method.responseStream === true,
      options: {
        idempotencyLevel: idempotency(method.options?.idempotency_level),
        deprecated: isDeprecated(method),
      },
    })),
    options: { deprecated: isDeprecated(service) },
  })
}

function describeField(field: protobuf.Field, syntax: Syntax): FieldDescriptorProto {
  const defaultValue: unknown = field.options?.default
  return create(FieldDescriptorProtoSchema, {
    ...common(field),
    label: field.repeated ? Label.REPEATED : field.required ? Label.REQUIRED : Label.OPTIONAL,
    type: field.delimited && field.resolvedType instanceof protobuf.Type ? FieldType.GROUP : typeOf(field),
    typeName: field.resolvedType?.fullName ?? '',
    proto3Optional: syntax === 'proto3' && field.options?.proto3_optional === true,
    ...(defaultValue === undefined || defaultValue === null ? {} : { defaultValue: String(defaultValue) }),
    options: {
      deprecated: isDeprecated(field),
      ...(field.repeated ? { packed: field.packed } : {}),
      ...(syntax === 'editions' && !field.repeated ? { features: { fieldPresence: presence(field) } } : {}),
    },
  })
}

function describeMapField(field: protobuf.MapField): FieldDescriptorProto {
  return create(FieldDescriptorProtoSchema, {
    ...common(field),
    label: Label.REPEATED,
    type: FieldType.MESSAGE,
    typeName: `${field.parent?.fullName}.${entryName(field)}`,
    options: { deprecated: isDeprecated(field) },
  })
}

/** A map is a repeated message of key and value (language guide, "Backwards compatibility" of maps). */
function describeMapEntry(field: protobuf.MapField): DescriptorProto {
  const value = { type: typeOf(field), typeName: field.resolvedType?.fullName ?? '' }
  return create(DescriptorProtoSchema, {
    name: entryName(field),
    options: { mapEntry: true },
    field: [
      {
        name: 'key',
        jsonName: 'key',
        number: 1,
        label: Label.OPTIONAL,
        type: scalarTypes.get(field.keyType) ?? FieldType.STRING,
      },
      { name: 'value', jsonName: 'value', number: 2, label: Label.OPTIONAL, ...value },
    ],
  })
}

function common(field: protobuf.FieldBase): { name: string; number: number; jsonName: string } {
  const jsonName: unknown = field.options?.json_name
  return {
    name: field.name,
    number: field.id,
    jsonName: typeof jsonName === 'string' ? jsonName : protoCamelCase(field.name),
  }
}

function isDeprecated({ options }: protobuf.ReflectionObject): boolean {
  return options?.deprecated === true
}

/** `some_field` gives `SomeFieldEntry`, as protoc names it. */
function entryName(field: protobuf.MapField): string {
  const camel = protoCamelCase(field.name)
  return `${camel.charAt(0).toUpperCase()}${camel.slice(1)}Entry`
}

function typeOf(field: protobuf.FieldBase): FieldType {
  if (field.resolvedType instanceof protobuf.Enum) return FieldType.ENUM
  return scalarTypes.get(field.type) ?? FieldType.MESSAGE
}

function presence(field: protobuf.Field): Presence {
  if (field.required) return Presence.LEGACY_REQUIRED
  return field.hasPresence ? Presence.EXPLICIT : Presence.IMPLICIT
}

function idempotency(level: unknown): Idempotency {
  if (level === 'NO_SIDE_EFFECTS') return Idempotency.NO_SIDE_EFFECTS
  return level === 'IDEMPOTENT' ? Idempotency.IDEMPOTENT : Idempotency.IDEMPOTENCY_UNKNOWN
}

const scalarTypes = new Map<string, FieldType>([
  ['double', FieldType.DOUBLE],
  ['float', FieldType.FLOAT],
  ['int64', FieldType.INT64],
  ['uint64', FieldType.UINT64],
  ['int32', FieldType.INT32],
  ['fixed64', FieldType.FIXED64],
  ['fixed32', FieldType.FIXED32],
  ['bool', FieldType.BOOL],
  ['string', FieldType.STRING],
  ['bytes', FieldType.BYTES],
  ['uint32', FieldType.UINT32],
  ['sfixed32', FieldType.SFIXED32],
  ['sfixed64', FieldType.SFIXED64],
  ['sint32', FieldType.SINT32],
  ['sint64', FieldType.SINT64],
])
