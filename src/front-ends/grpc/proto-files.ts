import { accessSync, constants } from 'node:fs'
import { dirname, isAbsolute, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import protobuf from 'protobufjs'

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

/** A path as messages show it: relative to the working directory where it lies below it. */
export function shownPath(path: string): string {
  const shown = relative(process.cwd(), path)
  return shown.startsWith('..') || isAbsolute(shown) ? path : shown
}

const alwaysRead = ['google/rpc/status.proto', 'google/rpc/error_details.proto']

function googleDir(): string {
  return dirname(fileURLToPath(import.meta.resolve('google-proto-files/package.json')))
}

function findFile(target: string, includeDirs: readonly string[], origin: string): string {
  const candidates = isAbsolute(target) ? [target] : includeDirs.map((dir) => join(dir, target))
  const found = candidates.find(readable)
  if (found !== undefined) return found
  const importer = origin === '' ? '' : `${shownPath(origin)}: `
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
 * names the one that needs it (`no such type: X in Type .a.M`): the file of that one is put first.
 */
function messageOf(cause: unknown, root: protobuf.Root): string {
  const message = cause instanceof Error ? cause.message : String(cause)
  const place = /^(.*) \((.+\.proto), line (\d+)\)$/.exec(message)
  if (place !== null) return `${shownPath(place[2] ?? '')}:${place[3]}: ${place[1]}`
  const user = / in \w+ \.([\w.]+)$/.exec(message)?.[1]
  const file = user === undefined ? undefined : root.lookup(user)?.filename
  return typeof file === 'string' ? `${shownPath(file)}: ${message}` : message
}
