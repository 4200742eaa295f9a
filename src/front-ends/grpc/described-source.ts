import {
  create,
  createFileRegistry,
  type DescExtension,
  type FileRegistry,
  getOption,
  hasOption,
  type JsonValue,
  toJson,
} from '@bufbuild/protobuf'
import { type FileDescriptorProto, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { builtInFiles } from './built-in-files.ts'
import { commentsOf } from './described-comments.ts'
import type { DescriptorSource } from './descriptors.ts'
import { unknownType } from './unknown-type.ts'

/** Files that somebody else's compiler described, in any order, with all that they import but what is built in. */
export interface DescribedFiles {
  /** For messages. */
  readonly name: string
  readonly files: readonly FileDescriptorProto[]
}

/**
 * A source of such files. Throws an Error that names it when they do not make types; {@link missingImports} tells the usual cause.
 */
export function describedSource({ name, files }: DescribedFiles): DescriptorSource {
  const own = files.filter((file) => !isBuiltIn(file.name))
  const file = [...builtInFiles, ...inOrder(own)]
  const unknown = unknownType(file)
  if (unknown !== undefined) throw new Error(`${name}: ${unknown}`)
  const registry = registryOf(name, file)
  const http = registry.getExtension('google.api.http')
  return {
    name,
    registry,
    comments: commentsOf(own),
    placeOf: ({ parent }) => `${name}: ${parent.file.proto.name}`,
    httpRule: (method) => (http === undefined ? undefined : ruleOf(method, http)),
  }
}

function registryOf(name: string, file: FileDescriptorProto[]): FileRegistry {
  try {
    return createFileRegistry(create(FileDescriptorSetSchema, { file }))
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : ''
    throw new Error(`${name}: ${message === '' ? 'contradicts itself' : message}`, { cause })
  }
}

/** Names of files that others import and that are neither there nor built in, each with who imports it. */
export function missingImports(
  files: readonly FileDescriptorProto[],
): { readonly file: string; readonly importer: string }[] {
  const there = new Set(files.map((file) => file.name))
  return files
    .filter((file) => !isBuiltIn(file.name))
    .flatMap((importer) =>
      importer.dependency
        .filter((file) => !there.has(file) && !isBuiltIn(file))
        .map((file) => ({ file, importer: importer.name })),
    )
}

/** Whether the gateway has this file itself. */
export function isBuiltIn(file: string): boolean {
  return builtInNames.has(file)
}

const builtInNames = new Set(builtInFiles.map((file) => file.name))

function ruleOf(
  method: Parameters<DescriptorSource['httpRule']>[0],
  http: DescExtension,
): JsonValue | undefined {
  if (!hasOption(method, http) || http.message === undefined) return undefined
  const rule = getOption(method, http) as Parameters<typeof toJson>[1]
  return toJson(http.message, rule, { useProtoFieldName: true })
}

/** Each after the files that it imports. Import circles stay as they are, for the registry to refuse. */
function inOrder(files: readonly FileDescriptorProto[]): FileDescriptorProto[] {
  const byName = new Map(files.map((file) => [file.name, file]))
  const ordered = new Set<FileDescriptorProto>()
  const begun = new Set<FileDescriptorProto>()
  // Not by recursion: what a stranger's descriptors import may be thousands deep.
  const stack = [...files].reverse()
  for (let file = stack.at(-1); file !== undefined; file = stack.at(-1)) {
    const needed = begun.has(file)
      ? []
      : file.dependency.flatMap((name) => byName.get(name) ?? []).filter((one) => !begun.has(one))
    begun.add(file)
    if (needed.length > 0) stack.push(...needed)
    else {
      ordered.add(file)
      stack.pop()
    }
  }
  return [...ordered]
}
