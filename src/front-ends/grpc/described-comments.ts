import type { DescriptorProto, EnumDescriptorProto, FileDescriptorProto } from '@bufbuild/protobuf/wkt'
import { cleanedComment, type ProtoComments } from './proto-comments.ts'

/**
 * The comments that descriptors carry in `source_code_info`; none where the compiler left it out. Its paths are of field numbers and
 * positions (`google/protobuf/descriptor.proto`, SourceCodeInfo.Location).
 */
export function commentsOf(files: readonly FileDescriptorProto[]): ProtoComments {
  const comments = new Map<string, string>()
  for (const file of files) {
    const written = new Map<string, string>()
    for (const { path, leadingComments, trailingComments } of file.sourceCodeInfo?.location ?? []) {
      const text = cleanedComment(leadingComments || trailingComments)
      if (text !== '') written.set(path.join('.'), text)
    }
    if (written.size === 0) continue
    const note = (name: string, path: string): void => {
      const text = written.get(path)
      if (text !== undefined) comments.set(name, text)
    }
    const prefix = file.package === '' ? '' : `${file.package}.`
    file.messageType.forEach((type, i) => {
      noteMessage(type, { name: prefix + type.name, path: `4.${i}` }, note)
    })
    file.enumType.forEach((type, i) => {
      noteEnum(type, { name: prefix + type.name, path: `5.${i}` }, note)
    })
    file.service.forEach((service, i) => {
      note(prefix + service.name, `6.${i}`)
      service.method.forEach((method, j) => {
        note(`${prefix}${service.name}.${method.name}`, `6.${i}.2.${j}`)
      })
    })
  }
  return comments
}

interface Place {
  readonly name: string
  readonly path: string
}

type Note = (name: string, path: string) => void

function noteMessage(type: DescriptorProto, { name, path }: Place, note: Note): void {
  note(name, path)
  type.field.forEach((field, i) => {
    note(`${name}.${field.name}`, `${path}.2.${i}`)
  })
  type.nestedType.forEach((nested, i) => {
    noteMessage(nested, { name: `${name}.${nested.name}`, path: `${path}.3.${i}` }, note)
  })
  type.enumType.forEach((nested, i) => {
    noteEnum(nested, { name: `${name}.${nested.name}`, path: `${path}.4.${i}` }, note)
  })
}

function noteEnum(type: EnumDescriptorProto, { name, path }: Place, note: Note): void {
  note(name, path)
  type.value.forEach((value, i) => {
    note(`${name}.${value.name}`, `${path}.2.${i}`)
  })
}
