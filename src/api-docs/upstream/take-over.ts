import { isRecord } from '../../core/is-record.ts'
import type { Book } from '../book.ts'
import { type Json, ref } from '../json.ts'
import { type Kind, objectKinds, type Shape } from './object-kinds.ts'
import { placeOf, type UpstreamDocument } from './read-document.ts'
import { resolvePointer } from './resolve-pointer.ts'
import { asSchemaOf31, checkSchema } from './schema-of-31.ts'

type At = readonly string[]

/** Takes objects of an upstream's document over into a book: what they refer to becomes components with the upstream's name in front. */
export class TakeOver {
  readonly #book: Book
  readonly #document: UpstreamDocument
  /** What stands in front of the names of components: `users`. */
  readonly #namespace: string
  /** The name of each component by section and where it was. */
  readonly #names = new Map<string, string>()
  readonly #waiting: (() => void)[] = []

  constructor(book: Book, document: UpstreamDocument, namespace: string) {
    this.#book = book
    this.#document = document
    this.#namespace = namespace
  }

  /** One operation with the parameters of its path, without those of its path's. Throws an Error that names the place of what cannot be used. */
  operation(item: Json, method: string, at: At): Json {
    const here = [...at, method]
    const written = this.#record(item[method], here)
    const parameters = new Map<string, Json>()
    for (const [owner, place] of [
      [item, at],
      [written, here],
    ] as const)
      for (const [index, one] of this.#list(owner.parameters, [...place, 'parameters']).entries()) {
        const parameter = this.#parameter(one, [...place, 'parameters', String(index)])
        parameters.set(`${parameter.in} ${String(parameter.name)}`, parameter)
      }
    const made = this.#object(
      {
        tags: { list: 'text' },
        summary: 'text',
        description: 'text',
        externalDocs: 'externalDocs',
        operationId: 'text',
        requestBody: 'requestBody',
        deprecated: 'boolean',
      },
      written,
      here,
    )
    const responses = this.#responses(written.responses, [...here, 'responses'])
    while (this.#waiting.length > 0) this.#waiting.pop()?.()
    return { ...made, ...(parameters.size > 0 && { parameters: [...parameters.values()] }), responses }
  }

  /** Always in its place, because its path may change its name. */
  #parameter(written: unknown, at: At): Json {
    const found = this.#resolved(written, at)
    const made = this.#kind('parameter', found.value, found.at) as Json
    if (!places.has(String(made.in))) throw new Error(`${placeOf(found.at)}.in: is no place of a parameter`)
    return made.in === 'path' ? { ...made, required: true } : made
  }

  #responses(written: unknown, at: At): Json {
    const responses = this.#record(written ?? {}, at)
    const entries = Object.entries(responses).filter(([status]) => !status.startsWith('x-'))
    return Object.fromEntries(
      entries.map(([status, one]) => {
        if (!/^([1-5](\d\d|XX)|default)$/.test(status))
          throw new Error(`${placeOf(at)}: "${status}" is no status`)
        return [status, this.#kind('response', one, [...at, status])]
      }),
    )
  }

  #kind(kind: Kind, written: unknown, at: At): unknown {
    if (kind === 'schema' && typeof written === 'boolean') return written
    const value = this.#record(written, at)
    const { keys, required = [] } = objectKinds[kind]
    if (typeof value.$ref === 'string') return this.#reference(kind, value, at)
    for (const key of required)
      if (value[key] === undefined) throw new Error(`${placeOf(at)}: has no "${key}"`)
    return kind === 'schema' ? this.#schema(value, at) : this.#object(keys, value, at)
  }

  #schema(written: Json, at: At): Json {
    checkSchema(written, placeOf(at))
    const { keys } = objectKinds.schema
    const made: Json = {}
    for (const [key, value] of Object.entries(written)) {
      if (unwanted.test(key)) continue
      const shape = Object.hasOwn(keys, key) ? keys[key] : undefined
      made[key] = shape === undefined ? value : this.#shape(shape, value, [...at, key])
    }
    if (isRecord(made.discriminator)) made.discriminator = this.#discriminator(made.discriminator, at)
    return this.#document.isOf30 ? asSchemaOf31(made) : made
  }

  #reference(kind: Kind, { $ref, ...beside }: Json, at: At): Json {
    const { section } = objectKinds[kind]
    if (section === undefined) throw new Error(`${placeOf(at)}: cannot be a reference`)
    const to = this.#component(kind, section, { $ref: String($ref), at })
    if (kind !== 'schema' || this.#document.isOf30 || Object.keys(beside).length === 0) return to
    return { ...this.#schema(beside, at), ...to }
  }

  #component(kind: Kind, section: string, from: { readonly $ref: string; readonly at: At }): Json {
    const found = this.#resolved({ $ref: from.$ref }, from.at)
    const key = `${section} ${found.at.join('/')}`
    let name = this.#names.get(key)
    if (name === undefined) {
      const [, , own] = found.at
      const isComponent = found.at.length === 3 && found.at[0] === 'components'
      const wish = isComponent ? own : found.at.slice(found.at[0] === 'components' ? 2 : 0).join('_')
      const given = this.#book.componentName(section, `${this.#namespace}.${wish}`)
      name = given
      this.#names.set(key, given)
      // Not at once: components may lead to each other in long rows and in circles.
      this.#waiting.push(() =>
        this.#book.setComponent(section, given, this.#kind(kind, found.value, found.at)),
      )
    }
    return ref(section, name)
  }

  /** Its mapping names schemas, by reference or by name (OpenAPI 3.1.1 section 4.8.25). */
  #discriminator(written: Json, at: At): Json {
    const { mapping, propertyName } = written
    if (typeof propertyName !== 'string')
      throw new Error(`${placeOf(at)}.discriminator: has no "propertyName"`)
    if (!isRecord(mapping)) return { propertyName }
    const here = [...at, 'discriminator', 'mapping']
    const entries = Object.entries(mapping).map(([value, to]): [string, unknown] => {
      if (typeof to !== 'string') throw new Error(`${placeOf(here)}.${value}: is no text`)
      const $ref = to.startsWith('#/') ? to : `#/components/schemas/${to}`
      return [value, this.#component('schema', 'schemas', { $ref, at: here }).$ref]
    })
    return { propertyName, mapping: Object.fromEntries(entries) }
  }

  #object(keys: Readonly<Record<string, Shape>>, value: Json, at: At): Json {
    const made: Json = {}
    for (const [key, shape] of Object.entries(keys))
      if (value[key] !== undefined) made[key] = this.#shape(shape, value[key], [...at, key])
    return made
  }

  #shape(shape: Shape, value: unknown, at: At): unknown {
    if (shape === 'data') return value
    if (shape === 'text') {
      if (typeof value === 'string') return value
      throw new Error(`${placeOf(at)}: is no text`)
    }
    if (shape === 'boolean') {
      if (typeof value === 'boolean') return value
      throw new Error(`${placeOf(at)}: is neither true nor false`)
    }
    if (typeof shape === 'string') return this.#kind(shape, value, at)
    if ('list' in shape) {
      const { list } = shape
      return this.#list(value, at).map((one, index) => this.#shape(list, one, [...at, String(index)]))
    }
    const { map } = shape
    return Object.fromEntries(
      Object.entries(this.#record(value, at)).map(([key, one]) => [key, this.#kind(map, one, [...at, key])]),
    )
  }

  #record(value: unknown, at: At): Json {
    if (isRecord(value)) return value
    throw new Error(`${placeOf(at)}: is no object`)
  }

  #list(value: unknown, at: At): readonly unknown[] {
    if (value === undefined) return []
    if (Array.isArray(value)) return value
    throw new Error(`${placeOf(at)}: is no list`)
  }

  #resolved(written: unknown, at: At): { readonly value: Json; readonly at: At } {
    return resolvePointer(this.#document.root, this.#record(written, at), at)
  }
}

const places = new Set(['query', 'header', 'path', 'cookie'])

/** What is another's business, or would change what references mean. */
const unwanted = /^(x-|\$id$|\$schema$|\$anchor$|\$dynamicAnchor$|\$dynamicRef$|\$vocabulary$)/
