import { isDeepStrictEqual } from 'node:util'
import { type Document, isMap, isNode, isScalar, isSeq, parseDocument, visit } from 'yaml'
import { GatewayError } from '../core/error.ts'
import { isRecord } from '../core/is-record.ts'

/** The text of a configuration as it can be changed: comments, order and spelling of what is not touched stay, but for spaces. */
export class ConfigText {
  readonly #document: Document

  /** Throws INVALID_BODY for what is no YAML. */
  constructor(text: string) {
    this.#document = parseDocument(text, { prettyErrors: true })
    const [error] = this.#document.errors
    if (error !== undefined) throw new GatewayError('INVALID_BODY', `This is no YAML: ${error.message}`)
    // What stands for something else cannot be changed alone.
    visit(this.#document, {
      Alias: (_, alias) => {
        const target = alias.resolve(this.#document)
        return target === undefined ? undefined : this.#document.createNode(target.toJS(this.#document))
      },
    })
  }

  /** As it was written: `${NAME}` and `file://` stand as they are. */
  get data(): unknown {
    return this.#document.toJS({ maxAliasCount: 100 }) ?? {}
  }

  /** Puts a value in the place that a path leads to; only what differs is written anew. Undefined: takes it out. */
  set(path: readonly (string | number)[], value: unknown): void {
    const document = this.#document
    if (value === undefined) {
      document.deleteIn(path)
      return
    }
    const node = path.length === 0 ? document.contents : document.getIn(path, true)
    if (isNode(node) && isDeepStrictEqual(node.toJS(document), value)) return
    if (isMap(node) && isRecord(value)) {
      for (const { key } of [...node.items]) {
        const name = isNode(key) ? String(key.toJS(document)) : String(key)
        if (!Object.hasOwn(value, name)) node.delete(name)
      }
      for (const [name, member] of Object.entries(value)) this.set([...path, name], member)
      return
    }
    if (isSeq(node) && Array.isArray(value) && node.items.length === value.length) {
      for (const [index, item] of value.entries()) this.set([...path, index], item)
      return
    }
    if (isScalar(node) && !isCollection(value)) {
      // Its comment stays; how it was quoted does not.
      node.value = value
      delete node.type
      return
    }
    const made = document.createNode(value)
    if (path.length === 0) document.contents = made as never
    else {
      this.#makeWay(path)
      document.setIn(path, made)
    }
  }

  /** Adds an item to the list at a path, in front of the one at `index`; the list is made when there is none. */
  insert(path: readonly string[], value: unknown, index?: number): void {
    const list = this.#document.getIn(path, true)
    const made = this.#document.createNode(value)
    if (!isSeq(list)) this.set(path, [value])
    else if (index === undefined) list.add(made)
    else list.items.splice(index, 0, made)
    if (isSeq(list)) list.flow = false
  }

  /** YAML. */
  toString(): string {
    return this.#document.toString({ lineWidth: 0 })
  }

  /** What stands in the way is an empty value: `routes:` without anything. */
  #makeWay(path: readonly (string | number)[]): void {
    for (let length = 0; length < path.length; length++) {
      const node = length === 0 ? this.#document.contents : this.#document.getIn(path.slice(0, length), true)
      if (isMap(node)) node.flow = node.items.length > 0 && node.flow === true
      if (isMap(node) || isSeq(node)) continue
      const made = this.#document.createNode({})
      if (length === 0) this.#document.contents = made as never
      else this.#document.setIn(path.slice(0, length), made)
    }
  }
}

function isCollection(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}
