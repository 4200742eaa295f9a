import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  Scalar,
  visit,
} from 'yaml'
import { messageOf } from '../core/message-of.ts'
import { formatPath, type Problem } from './problem.ts'
import { SeenFiles } from './seen-files.ts'

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>

/** A YAML (or JSON) document whose values remember where they were written. */
export class ConfigDocument {
  readonly file: string
  readonly problems: Problem[] = []
  /** What it was read from; whoever reads more for it notes that here. */
  readonly files: SeenFiles
  /** The document as plain data. */
  readonly data: unknown
  readonly #lines = new LineCounter()
  readonly #document
  /** What stands where a value was read from a file. */
  readonly #sources = new WeakMap<object, string>()

  /** Parses the text, then replaces `${ENV:-default}` and `file://` in its values. Mistakes are collected in {@link problems}. */
  constructor(file: string, text: string, environment: Environment, files = new SeenFiles()) {
    this.file = file
    this.files = files
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false })
    for (const { code, message, pos } of this.#document.errors) {
      this.problems.push(this.#at([], pos[0], message))
      // What a parser says after its first syntax error is mostly a consequence of it.
      if (code !== 'DUPLICATE_KEY') break
    }
    if (this.problems.length > 0) return
    this.#substitute(environment)
    try {
      this.data = this.#document.toJS({ maxAliasCount: 100 })
    } catch (error) {
      this.problems.push(this.#at([], 0, messageOf(error)))
    }
    // A file that is being written is empty for a moment: that must never run as a gateway without routes.
    if (this.data === null) this.problems.push(this.#at([], 0, 'is empty; {} is a gateway without routes'))
  }

  /** A mistake at a key's path: points at the key of the last part when there is one, else at the nearest parent that is there. */
  problem(path: readonly PropertyKey[], message: string): Problem {
    for (let length = path.length; length > 0; length--) {
      const offset = this.#offsetOf(path.slice(0, length))
      if (offset !== undefined) return this.#at(path, offset, message)
    }
    return this.#at(path, 0, message)
  }

  /** What was written where the value at a path was read from a file: `file://tls/key.pem`; undefined: it stands there itself. */
  sourceOf(path: readonly PropertyKey[]): string | undefined {
    const node: unknown = this.#document.getIn(path, true)
    return isNode(node) ? this.#sources.get(node) : undefined
  }

  #offsetOf(path: readonly PropertyKey[]): number | undefined {
    const parent = path.length === 1 ? this.#document.contents : this.#document.getIn(path.slice(0, -1), true)
    const last = path.at(-1)
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isScalar(item.key) && String(item.key.value) === String(last))
      return pair !== undefined && isNode(pair.key) ? startOf(pair.key) : undefined
    }
    const node = this.#document.getIn(path, true)
    return isNode(node) ? startOf(node) : undefined
  }

  #at(path: readonly PropertyKey[], offset: number, message: string): Problem {
    const { line, col } = this.#lines.linePos(offset)
    return { file: this.file, line, column: col, path: formatPath(path), message }
  }

  #substitute(environment: Environment): void {
    visit(this.#document, {
      Scalar: (key, node, ancestors) => {
        if (key === 'key' || typeof node.value !== 'string') return
        const { value } = node
        try {
          if (value.includes('${')) this.#expand(node, environment)
          if (typeof node.value !== 'string' || !node.value.startsWith('file://')) return
          this.#sources.set(node, node.value)
          node.value = this.#read(node.value)
        } catch (error) {
          const message = messageOf(error)
          this.problems.push(this.#at(keyPath(key, [...ancestors, node]), startOf(node) ?? 0, message))
        }
      },
    })
  }

  /** A plain (unquoted) scalar is read again after expansion, so that `${PORT:-8080}` is a number. */
  #expand(node: Scalar, environment: Environment): void {
    const expanded = expandReferences(String(node.value), environment)
    node.value = node.type === Scalar.PLAIN ? plainValue(expanded) : expanded
  }

  #read(url: string): string {
    const path = url.startsWith('file:///')
      ? fileURLToPath(url)
      : resolve(dirname(this.file), url.slice('file://'.length))
    this.files.see(path)
    try {
      return readFileSync(path, 'utf8').replace(/\r?\n$/, '')
    } catch (error) {
      throw new Error(`cannot read ${url}: ${messageOf(error)}`)
    }
  }
}

/** A text with the values of the variables that it names by `${NAME:-default}`. Throws an Error for one that is not set and has no default. */
export function expandReferences(text: string, environment: Environment): string {
  return text.replace(reference, (_, name: string, fallback: string | undefined) => {
    const value = environment[name]
    if (value !== undefined && value !== '') return value
    if (fallback !== undefined) return fallback
    throw new Error(`environment variable ${name} is not set; write \${${name}:-default} to give a default`)
  })
}

function plainValue(text: string): unknown {
  if (/^-?\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text)
  if (text === 'true' || text === 'false') return text === 'true'
  return text
}

/** The path of keys to the last of these nodes, which is the item `index` of a list or a value. */
function keyPath(index: unknown, nodes: readonly unknown[]): PropertyKey[] {
  const path = nodes.flatMap((node, depth): PropertyKey[] => {
    if (isPair(node) && isScalar(node.key)) return [String(node.key.value)]
    const child = nodes[depth + 1]
    return isSeq(node) && depth < nodes.length - 2 ? [node.items.indexOf(child)] : []
  })
  return typeof index === 'number' ? [...path, index] : path
}

function startOf(node: Node): number | undefined {
  return node.range?.[0]
}

const reference = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g
