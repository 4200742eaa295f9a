import type { Json } from './json.ts'

/** An operation that is to be written down. */
export interface Entry {
  /** Lower case. */
  readonly method: string
  readonly path: DescribedPath
  readonly operation: Json
}

/** A path as OpenAPI writes it: `/v1/users/{id}`. */
export interface DescribedPath {
  readonly text: string
  /** Names of its variables, from left to right. */
  readonly names: readonly string[]
}

/** The path that a text of OpenAPI spells. */
export function describedPath(text: string): DescribedPath {
  return { text, names: [...text.matchAll(/\{([^{}]*)\}/g)].map(([, name = '']) => name) }
}

/** Whether OpenAPI 3.1 has a word for a method in lower case. */
export function isKnownMethod(method: string): boolean {
  return methods.has(method)
}

const methods = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'])

/** What a description is put together in: names that are given once, and paths that differ in more than the names of their variables. */
export class Book {
  readonly paths: Record<string, Json> = {}
  readonly #shapes = new Map<string, DescribedPath>()
  readonly #ids = new Set<string>()
  readonly #tags = new Map<string, Json>()
  readonly #components = new Map<string, Map<string, unknown>>()

  /** Writes it down; the first of two for one path and method stays. False: it is not the first. */
  add({ method, path, operation }: Entry): boolean {
    const shape = path.text.replace(/\{[^{}]*\}/g, '{}')
    const first = this.#shapes.get(shape) ?? path
    const item = this.paths[first.text] ?? {}
    if (item[method] !== undefined) return false
    this.#shapes.set(shape, first)
    this.paths[first.text] = item
    item[method] = renamed(operation, path.names, first.names)
    return true
  }

  /** An id for an operation that no other has: `users_getUser`, then `users_getUser_2`. */
  id(wish: string): string {
    const word = wish.replace(/[^A-Za-z0-9_.-]+/g, '_')
    let id = word
    for (let number = 2; this.#ids.has(id); number++) id = `${word}_${number}`
    this.#ids.add(id)
    return id
  }

  /** Notes a tag; what is said of it first stays. */
  tag(name: string, about: Json = {}): void {
    const known = this.#tags.get(name)
    if (known === undefined || (known.description === undefined && about.description !== undefined))
      this.#tags.set(name, { name, ...about })
  }

  /** A name in a section of the components that no other has. */
  componentName(section: string, wish: string): string {
    const taken = this.#section(section)
    const word = wish.replace(/[^A-Za-z0-9_.-]+/g, '_')
    let name = word
    for (let number = 2; taken.has(name); number++) name = `${word}_${number}`
    taken.set(name, {})
    return name
  }

  setComponent(section: string, name: string, value: unknown): void {
    this.#section(section).set(name, value)
  }

  hasComponent(section: string, name: string): boolean {
    return this.#section(section).has(name)
  }

  hasTag(name: string): boolean {
    return this.#tags.has(name)
  }

  /** Takes over those of `components` (by section) that the paths lead to, by whichever way. */
  takeUsed(components: Readonly<Record<string, Json>>): void {
    let texts = [JSON.stringify(this.paths)]
    while (texts.length > 0) {
      const found = new Set(texts.flatMap((text) => [...text.matchAll(reference)].map(([, to = '']) => to)))
      texts = []
      for (const to of found) {
        const [section = '', name = ''] = to.split('/')
        const component = components[section]?.[name]
        if (component === undefined || this.hasComponent(section, name)) continue
        this.setComponent(section, name, component)
        texts.push(JSON.stringify(component))
      }
    }
  }

  tags(): Json[] {
    return [...this.#tags.values()]
      .map((tag) => ({ ...tag, description: tag.description ?? `The operations of ${tag.name}.` }))
      .sort((a, b) => byText(String((a as Json).name), String((b as Json).name)))
  }

  /** By section, in the order of their names. */
  components(): Json {
    return Object.fromEntries(
      [...this.#components]
        .filter(([, named]) => named.size > 0)
        .map(([section, named]) => [
          section,
          Object.fromEntries([...named].sort(([a], [b]) => byText(a, b))),
        ]),
    )
  }

  #section(section: string): Map<string, unknown> {
    const named = this.#components.get(section) ?? new Map<string, unknown>()
    this.#components.set(section, named)
    return named
  }
}

/** In the JSON of a description. */
const reference = /"#\/components\/([A-Za-z]+\/[A-Za-z0-9_.-]+)"/g

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** An operation whose path variables are called otherwise. */
function renamed(operation: Json, from: readonly string[], to: readonly string[]): Json {
  if (!Array.isArray(operation.parameters) || from.every((name, index) => name === to[index]))
    return operation
  const parameters = (operation.parameters as Json[]).map((parameter) => {
    if (parameter.in !== 'path') return parameter
    const at = from.indexOf(String(parameter.name))
    return at === -1 ? parameter : { ...parameter, name: to[at] }
  })
  return { ...operation, parameters }
}
