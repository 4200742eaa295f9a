import protobuf from 'protobufjs'

/** What the protos say about their declarations, by full name: `library.v1.Book`, `library.v1.Book.title`, `library.v1.Genre.POETRY`. */
export type ProtoComments = ReadonlyMap<string, string>

/** The comments of all declarations of the parser's tree; those without one are not in it. */
export function readComments(root: protobuf.Root): ProtoComments {
  const comments = new Map<string, string>()
  const note = (name: string, comment: string | null | undefined): void => {
    const text = cleanedComment(comment ?? '')
    if (text !== '') comments.set(name.replace(/^\./, ''), text)
  }
  const visit = (namespace: protobuf.NamespaceBase): void => {
    for (const child of namespace.nestedArray) {
      note(child.fullName, child.comment)
      if (child instanceof protobuf.Enum) {
        for (const [value, comment] of Object.entries(child.comments))
          note(`${child.fullName}.${value}`, comment)
      }
      if (child instanceof protobuf.Type) {
        for (const one of [...child.fieldsArray, ...child.oneofsArray]) note(one.fullName, one.comment)
      }
      if (child instanceof protobuf.Service)
        for (const method of child.methodsArray) note(method.fullName, method.comment)
      if (child instanceof protobuf.Namespace) visit(child)
    }
  }
  visit(root)
  return comments
}

/** A comment without notes to colleagues (`(-- --)`, AIP-192) and with the text alone of references such as `[Book][library.v1.Book]`. */
export function cleanedComment(comment: string): string {
  return comment
    .replace(/\(--.*?--\)/gs, '')
    .replace(/\[([^\][]+)\]\[[\w.]*\]/g, '$1')
    .trim()
}
