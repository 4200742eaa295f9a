import { isDeepStrictEqual } from 'node:util'
import { type Document, isMap, isNode, isScalar, isSeq, type Node, visit } from 'yaml'
import { parseYaml } from '../config/yaml-text.ts'
import { GatewayError } from '../core/error.ts'
import { isRecord } from '../core/is-record.ts'
import { nameOfItem } from './item-name.ts'

/** Values that all aliases together stand for at the most: a few lines of them can mean billions. */
const maxFromAliases = 100_000

/** The text of a configuration as it can be changed: comments, order and spelling of what is not touched stay, but for spaces. */
export class ConfigText {
  readonly #document: Document

  /** Throws INVALID_BODY for what is no YAML. */
  constructor(text: string) {
    this.#document = parseYaml(text, { prettyErrors: true })
    const [error] = this.#document.errors
    if (error !== undefined) throw new GatewayError('INVALID_BODY', `This is no YAML: ${error.message}`)
    this.#replaceAliases()
  }

  /** What stands for something else cannot be changed alone. */
  #replaceAliases(): void {
    let room = maxFromAliases
    visit(this.#document, {
      Alias: (_, alias) => {
        const target = alias.resolve(this.#document)
        if (target === undefined) return undefined
        // Those inside it were replaced before: what it counts is what it becomes.
        visit(target, {
          Node: () => {
            room--
            return room < 0 ? visit.BREAK : undefined
          },
        })
        if (room < 0)
          throw new GatewayError(
            'INVALID_BODY',
            `The aliases (*name) stand for more than ${maxFromAliases} values.`,
          )
        return this.#document.createNode(target.toJS(this.#document))
      },
    })
  }

  /** A copy, as it was written: `${NAME}` and `file://` stand as they are. */
  get data(): unknown {
    return this.#document.toJS({ maxAliasCount: 100 }) ?? {}
  }

  /** Makes the document say this; only what differs is written anew. */
  set(data: unknown): void {
    this.#document.contents = this.#updated(this.#document.contents, data) as never
  }

  /** YAML. */
  toString(): string {
    return this.#document.toString({ lineWidth: 0 })
  }

  #updated(node: unknown, value: unknown): Node {
    if (isNode(node) && isDeepStrictEqual(node.toJS(this.#document), value)) return node
    if (isMap(node) && isRecord(value)) {
      const names = new Map(
        node.items.map((pair) => [String(isNode(pair.key) ? pair.key.toJS(this.#document) : pair.key), pair]),
      )
      for (const [name, { key }] of names) if (!Object.hasOwn(value, name)) node.delete(key)
      if (node.items.length === 0) node.flow = false
      for (const [name, member] of Object.entries(value)) {
        const pair = names.get(name)
        if (pair === undefined) node.add(this.#document.createPair(name, member))
        else pair.value = this.#updated(pair.value, member)
      }
      return node
    }
    if (isSeq(node) && Array.isArray(value)) {
      const old = node.items.map((item) => ({
        item,
        name: nameOfItem(isNode(item) ? item.toJS(this.#document) : item),
      }))
      if (old.length === 0) node.flow = false
      node.items = value.map((item) => {
        const name = nameOfItem(item)
        const found = old.findIndex((one) => one.name === name)
        return this.#updated(found === -1 ? undefined : old.splice(found, 1)[0]?.item, item)
      })
      return node
    }
    if (isScalar(node) && !isCollection(value)) {
      // Its comment stays; how it was quoted does not.
      node.value = value
      delete node.type
      return node
    }
    return this.#document.createNode(value) as Node
  }
}

function isCollection(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}
