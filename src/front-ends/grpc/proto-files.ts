import { accessSync, constants } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import protobuf from 'protobufjs'
import { ProtoText, shownPath, word } from './proto-place.ts'

/** Which `.proto` files are read, and where their imports are looked up. */
export interface ProtoSources {
  /** Absolute paths. */
  readonly files: readonly string[]
  /** Absolute; the folder of google-proto-files (`google/api`, `google/rpc`, `google/type`) always comes last. */
  readonly includeDirs: readonly string[]
}

/**
 * The parser's tree of the files and all that they import. Throws an Error that names the file, and the line where the parser knows it.
 * `google/rpc/status.proto` and `error_details.proto` are always among them: errors are spelled in their words.
 */
export function readProtos(sources: ProtoSources): protobuf.Root {
  const includeDirs = [...sources.includeDirs, googleDir()]
  const files = [...sources.files, ...alwaysRead]
  const root = new Tree()
  root.resolvePath = (origin, target) => findFile(target, includeDirs, origin)
  try {
    // Not the asynchronous load: it throws out of a callback, past every handler, when a type is missing.
    root.loadSync(files, { keepCase: true, alternateCommentMode: true })
    return root
  } catch (cause) {
    throw new Error(messageOf(cause, root), { cause })
  }
}

/**
 * protobufjs generates a constructor for each message when it resolves types, which `--disallow-code-generation-from-strings` forbids.
 * Nobody makes messages from this tree, so that each gets one that stands here.
 */
class Tree extends protobuf.Root {
  override resolveAll(): this {
    plainConstructors(this)
    return super.resolveAll() as this
  }
}

function plainConstructors(namespace: protobuf.NamespaceBase): void {
  for (const child of namespace.nestedArray) {
    if (child instanceof protobuf.Type && !Object.hasOwn(child, 'ctor'))
      Object.defineProperty(child, 'ctor', { value: class {} })
    if (child instanceof protobuf.Namespace) plainConstructors(child)
  }
}

const alwaysRead = ['google/rpc/status.proto', 'google/rpc/error_details.proto']

function googleDir(): string {
  return dirname(fileURLToPath(import.meta.resolve('google-proto-files/package.json')))
}

function findFile(target: string, includeDirs: readonly string[], origin: string): string {
  const candidates = isAbsolute(target) ? [target] : includeDirs.map((dir) => join(dir, target))
  const found = candidates.find(readable)
  if (found !== undefined) return found
  const importer = origin === '' ? '' : `${new ProtoText(origin).placeOf(new RegExp(word(`"${target}"`)))}: `
  throw new Error(`${importer}"${target}" is not in any of ${includeDirs.map(shownPath).join(', ')}`)
}

function readable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}

/**
 * protobufjs says `illegal token 'x' (/path/a.proto, line 3)`: the place is put first, as compilers do. For a type that is missing it
 * names the one that needs it (`no such type: X in Type .a.M`): the place there is put first.
 */
function messageOf(cause: unknown, root: protobuf.Root): string {
  const message = cause instanceof Error ? cause.message : String(cause)
  const [, mistake, file, line] = /^(.*) \((.+\.proto), line (\d+)\)$/.exec(message) ?? []
  if (mistake !== undefined && file !== undefined) {
    const token = /'([^']+)'/.exec(mistake)?.[1] ?? ''
    return `${new ProtoText(file).placeOnLine(Number(line), token)}: ${mistake}`
  }
  const [, missing, user] = /^no such [^:']+(?:: |')([\w.]+)'?(?: in \w+ \.([\w.]+))?$/.exec(message) ?? []
  if (missing === undefined) return message
  const place = placeOfType(missing, user, root)
  return place === undefined ? message : `${place}: ${message}`
}

/** Where a type is used that there is not: by `user`, or else in the first file that has the word. */
function placeOfType(missing: string, user: string | undefined, root: protobuf.Root): string | undefined {
  const needing = user === undefined ? undefined : root.lookup(user)?.filename
  if (user !== undefined && typeof needing === 'string') {
    const name = user.slice(user.lastIndexOf('.') + 1)
    return new ProtoText(needing).placeOf(new RegExp(word(name)), new RegExp(word(missing)))
  }
  const places = root.files.map((file) => new ProtoText(file).placeOf(new RegExp(word(missing))))
  return places.find((place) => /:\d+$/.test(place))
}
