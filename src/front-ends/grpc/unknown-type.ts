import type { DescriptorProto, EnumDescriptorProto, FileDescriptorProto } from '@bufbuild/protobuf/wkt'

/** The first use of a type that no file declares, as a sentence; undefined when there is none. */
export function unknownType(files: readonly FileDescriptorProto[]): string | undefined {
  const declared = new Set(
    files.flatMap((file) => {
      const prefix = file.package === '' ? '.' : `.${file.package}.`
      return [...file.messageType.flatMap((type) => namesOf(type, prefix)), ...enumsOf(file.enumType, prefix)]
    }),
  )
  for (const file of files) {
    const prefix = file.package === '' ? '' : `${file.package}.`
    const uses = [
      ...file.messageType.flatMap((type) => usesOf(type, prefix)),
      ...file.service.flatMap(({ name, method }) =>
        method.flatMap((one): Use[] => [
          { type: one.inputType, by: `${prefix}${name}.${one.name}` },
          { type: one.outputType, by: `${prefix}${name}.${one.name}` },
        ]),
      ),
    ]
    const unknown = uses.find(({ type }) => type !== '' && !declared.has(type))
    if (unknown !== undefined)
      return `${file.name}: ${unknown.by} uses ${unknown.type.slice(1)}, which no file declares`
  }
  return undefined
}

interface Use {
  /** Absolute: `.library.v1.Book`. */
  readonly type: string
  readonly by: string
}

function namesOf(type: DescriptorProto, prefix: string): string[] {
  const name = prefix + type.name
  return [
    name,
    ...type.nestedType.flatMap((nested) => namesOf(nested, `${name}.`)),
    ...enumsOf(type.enumType, `${name}.`),
  ]
}

function enumsOf(types: readonly EnumDescriptorProto[], prefix: string): string[] {
  return types.map(({ name }) => prefix + name)
}

function usesOf(type: DescriptorProto, prefix: string): Use[] {
  const name = prefix + type.name
  return [
    ...type.field.map((field) => ({ type: field.typeName, by: `${name}.${field.name}` })),
    ...type.nestedType.flatMap((nested) => usesOf(nested, `${name}.`)),
  ]
}
