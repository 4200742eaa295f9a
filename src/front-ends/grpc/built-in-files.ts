import { create } from '@bufbuild/protobuf'
import * as wkt from '@bufbuild/protobuf/wkt'

const { STRING, BOOL, MESSAGE } = wkt.FieldDescriptorProto_Type
const { OPTIONAL, REPEATED } = wkt.FieldDescriptorProto_Label

type Label = typeof OPTIONAL | typeof REPEATED

/** `google/api/http.proto`, without its comments. */
const httpFile = create(wkt.FileDescriptorProtoSchema, {
  name: 'google/api/http.proto',
  package: 'google.api',
  syntax: 'proto3',
  messageType: [
    {
      name: 'Http',
      field: [
        message('rules', 1, { of: 'HttpRule', label: REPEATED }),
        { ...text('fully_decode_reserved_expansion', 2), type: BOOL },
      ],
    },
    {
      name: 'HttpRule',
      oneofDecl: [{ name: 'pattern' }],
      field: [
        text('selector', 1),
        ...['get', 'put', 'post', 'delete', 'patch'].map((verb, i) => ({
          ...text(verb, 2 + i),
          oneofIndex: 0,
        })),
        { ...message('custom', 8, { of: 'CustomHttpPattern' }), oneofIndex: 0 },
        text('body', 7),
        text('response_body', 12),
        message('additional_bindings', 11, { of: 'HttpRule', label: REPEATED }),
      ],
    },
    { name: 'CustomHttpPattern', field: [text('kind', 1), text('path', 2)] },
  ],
})

/** `google/api/annotations.proto`. */
const annotationsFile = create(wkt.FileDescriptorProtoSchema, {
  name: 'google/api/annotations.proto',
  package: 'google.api',
  syntax: 'proto3',
  dependency: ['google/api/http.proto', 'google/protobuf/descriptor.proto'],
  extension: [
    { ...message('http', 72295728, { of: 'HttpRule' }), extendee: '.google.protobuf.MethodOptions' },
  ],
})

/** The well-known types and `google.api.http`, in the order of their imports; every source has these and not its own. */
export const builtInFiles: readonly wkt.FileDescriptorProto[] = [
  ...[
    wkt.file_google_protobuf_descriptor,
    wkt.file_google_protobuf_any,
    wkt.file_google_protobuf_source_context,
    wkt.file_google_protobuf_type,
    wkt.file_google_protobuf_api,
    wkt.file_google_protobuf_duration,
    wkt.file_google_protobuf_empty,
    wkt.file_google_protobuf_field_mask,
    wkt.file_google_protobuf_struct,
    wkt.file_google_protobuf_timestamp,
    wkt.file_google_protobuf_wrappers,
  ].map((file) => file.proto),
  httpFile,
  annotationsFile,
]

function text(name: string, number: number) {
  return { name, number, label: OPTIONAL, type: STRING }
}

function message(name: string, number: number, { of, label = OPTIONAL }: { of: string; label?: Label }) {
  return { name, number, label, type: MESSAGE, typeName: `.google.api.${of}` } as const
}
