import { create, type FileRegistry } from '@bufbuild/protobuf'
import { Edition, type FileDescriptorProto, FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt'
import protobuf from 'protobufjs'
import { describeEnum, describeMessage, describeService } from './describe-types.ts'

/**
 * The parser's tree as one descriptor per file, each after the files that it needs; what `known` holds already is left to it.
 * Extensions are left out: the gateway reads options where they are parsed and carries unknown fields as they are.
 */
export function describeFiles(root: protobuf.Root, known: FileRegistry): FileDescriptorProto[] {
  const files = new Map<string, Draft>()
  collect(root, (declared) => {
    if (known.get(declared.fullName.slice(1)) !== undefined) return
    const name = fileOf(declared)
    const draft = files.get(name) ?? { name, declared: [], needs: new Set<string>() }
    draft.declared.push(declared)
    files.set(name, draft)
  })
  for (const draft of files.values()) {
    for (const declared of draft.declared) {
      for (const used of usedBy(declared)) {
        const type = known.get(used.fullName.slice(1))
        draft.needs.add(
          type === undefined || type.kind === 'extension' ? fileOf(topLevel(used)) : type.file.proto.name,
        )
      }
    }
    draft.needs.delete(draft.name)
  }
  return inOrder(files).map(describeFile)
}

/** A file while it is being put together. */
interface Draft {
  readonly name: string
  readonly declared: Declared[]
  readonly needs: Set<string>
}

type Declared = protobuf.Type | protobuf.Enum | protobuf.Service

function collect(namespace: protobuf.NamespaceBase, found: (declared: Declared) => void): void {
  for (const child of namespace.nestedArray) {
    if (child instanceof protobuf.Type || child instanceof protobuf.Enum || child instanceof protobuf.Service)
      found(child)
    else if (child instanceof protobuf.Namespace) collect(child, found)
  }
}

function fileOf(declared: protobuf.ReflectionObject): string {
  return declared.filename ?? `${declared.fullName.slice(1)}.proto`
}

function topLevel(declared: protobuf.ReflectionObject): protobuf.ReflectionObject {
  let top = declared
  while (top.parent instanceof protobuf.Type) top = top.parent
  return top
}

function usedBy(declared: protobuf.ReflectionObject): protobuf.ReflectionObject[] {
  if (declared instanceof protobuf.Service) {
    return declared.methodsArray.flatMap((method) =>
      [method.resolvedRequestType ?? [], method.resolvedResponseType ?? []].flat(),
    )
  }
  if (!(declared instanceof protobuf.Type)) return []
  return [
    ...declared.fieldsArray.flatMap((field) => field.resolvedType ?? []),
    ...declared.nestedArray.flatMap(usedBy),
  ]
}

function inOrder(files: ReadonlyMap<string, Draft>): Draft[] {
  const ordered = new Set<Draft>()
  const visit = (draft: Draft): void => {
    if (ordered.has(draft)) return
    for (const name of draft.needs) {
      const needed = files.get(name)
      if (needed !== undefined) visit(needed)
    }
    ordered.add(draft)
  }
  for (const draft of files.values()) visit(draft)
  return [...ordered]
}

function describeFile({ name, declared, needs }: Draft): FileDescriptorProto {
  const edition = editionOf(declared[0])
  const is2or3 = edition === 'proto2' || edition === 'proto3'
  return create(FileDescriptorProtoSchema, {
    name,
    package: declared[0]?.parent?.fullName.slice(1) ?? '',
    dependency: [...needs],
    syntax: is2or3 ? edition : 'editions',
    ...(is2or3 ? {} : { edition: edition === '2023' ? Edition.EDITION_2023 : Edition.EDITION_2024 }),
    messageType: declared
      .filter((one) => one instanceof protobuf.Type)
      .map((type) => describeMessage(type, is2or3 ? edition : 'editions')),
    enumType: declared.filter((one) => one instanceof protobuf.Enum).map(describeEnum),
    service: declared.filter((one) => one instanceof protobuf.Service).map(describeService),
  })
}

/** The parser keeps the edition on top-level declarations, in a property that its types do not show. */
function editionOf(declared: Declared | undefined): string {
  return (declared as { readonly _edition?: string | null } | undefined)?._edition ?? 'proto3'
}
