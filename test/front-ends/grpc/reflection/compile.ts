import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { clone, create, fromJson, type JsonValue, setExtension, toBinary } from '@bufbuild/protobuf'
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  MethodOptionsSchema,
} from '@bufbuild/protobuf/wkt'
import { protoSource } from '../../../../src/front-ends/grpc/proto-source.ts'

/** Proto sources by name, compiled to descriptors with their `google.api.http` options, as protoc writes them; without what is Google's. */
export function compile(files: Readonly<Record<string, string>>): FileDescriptorProto[] {
  const folder = mkdtempSync(join(tmpdir(), 'compile-'))
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    const { registry, httpRule } = protoSource({
      files: Object.keys(files).map((name) => join(folder, name)),
      includeDirs: [folder],
    })
    const http = registry.getExtension('google.api.http')
    if (http?.message === undefined) throw new Error('google.api.http is not built in')
    const found = new Map<string, FileDescriptorProto>()
    for (const desc of registry) {
      if (!desc.file.proto.name.startsWith(folder)) continue
      const proto = found.get(desc.file.proto.name) ?? clone(FileDescriptorProtoSchema, desc.file.proto)
      found.set(desc.file.proto.name, proto)
      if (desc.kind !== 'service') continue
      for (const method of desc.methods) {
        const rule = httpRule(method)
        const target = proto.service
          .find(({ name }) => name === desc.name)
          ?.method.find(({ name }) => name === method.name)
        if (rule === undefined || target === undefined) continue
        target.options ??= create(MethodOptionsSchema)
        setExtension(target.options, http, fromJson(http.message, listed(rule)))
      }
    }
    return [...found.values()].map((proto) => {
      proto.name = proto.name.slice(folder.length + 1)
      proto.dependency = proto.dependency.map((name) =>
        name.startsWith(folder) ? name.slice(folder.length + 1) : name,
      )
      return proto
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The parser has one additional binding as itself, several as a list. */
function listed(rule: unknown): JsonValue {
  const { additional_bindings: more = [], ...own } = rule as Record<string, JsonValue>
  return { ...own, additional_bindings: [more].flat() as JsonValue }
}

/** A FileDescriptorSet. */
export function setOf(file: readonly FileDescriptorProto[]): Uint8Array {
  return toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file: [...file] }))
}
