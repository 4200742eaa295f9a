import {
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLType,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isObjectType,
} from 'graphql'
import { isRecord } from '../../../../core/is-record.ts'
import type { FieldShape, MessageShape } from '../../../../core/message-shape.ts'
import { type CompiledResolver, type CompiledService, list } from './compiled-service.ts'
import { misfit } from './fitting-types.ts'
import type { MistakeList } from './service-mistakes.ts'

/**
 * Checks the schema against the messages of gRPC calls, both ways. Gives back the value of 0 of enums that the schema does not have
 * (GENRE_UNSPECIFIED), by the schema's name of the enum: it says nothing, and is null.
 */
export function checkMessages(service: CompiledService, mistakes: MistakeList): ReadonlyMap<string, string> {
  const walk = new Walk(service, mistakes)
  for (const [name, resolver] of service.resolvers) walk.resolver(name, resolver)
  return walk.absent
}

class Walk {
  readonly absent = new Map<string, string>()
  readonly #service: CompiledService
  readonly #mistakes: MistakeList
  readonly #seen = new Set<string>()

  constructor(service: CompiledService, mistakes: MistakeList) {
    this.#service = service
    this.#mistakes = mistakes
  }

  resolver(name: string, { options }: CompiledResolver): void {
    const { call, written } = options
    const [typeName = '', fieldName] = name.split('.')
    const type = this.#service.schema.getType(typeName)
    if (call?.shapes === undefined || !isObjectType(type)) return
    const field = fieldName === undefined ? undefined : type.getFields()[fieldName]
    const args = new Map(field?.args.map((arg): [string, GraphQLType] => [arg.name, arg.type]))
    const request = isRecord(written) ? written.request : undefined
    this.#request(request, call.shapes.input, { args, path: ['resolvers', name, call.kind, 'request'] })
    const found = this.#answerAt(call.shapes.output, call.at)
    if (typeof found === 'string') this.#mistakes.at(['resolvers', name, 'at'], found)
    else if (field === undefined) this.#value(type, found)
    else this.#answer(name, found, field.type)
  }

  /** Where `at` leads to; a text says why it leads nowhere. */
  #answerAt(output: MessageShape, at: readonly string[]): FieldShape | string {
    let found: FieldShape = whole(output)
    for (const key of at) {
      if (found.kind === 'any') return found
      const next = found.isList ? undefined : memberOf(found.message, key)
      if (next === undefined)
        return `${found.message?.name ?? found.type} has no field "${key}"${list('it has', found.message?.fieldNames ?? [])}`
      found = next
    }
    return found
  }

  #answer(name: string, found: FieldShape, type: GraphQLOutputType): void {
    // The answer to a batch is a list of what one object gets, or of all that several get.
    const isBatch = this.#service.resolvers.get(name)?.call?.isBatch === true
    const problem = isBatch ? undefined : misfit(type, found, 'answer')
    if (problem !== undefined)
      this.#mistakes.at(['resolvers', name], `what it is answered does not fit ${String(type)}: ${problem}`)
    this.#value(type, found)
  }

  #value(type: GraphQLType, field: FieldShape): void {
    const named = getNamedType(type)
    const [zero] = field.values
    if (isEnumType(named) && zero !== undefined && named.getValues().every(({ value }) => value !== zero))
      this.absent.set(named.name, zero)
    if (isObjectType(named) && field.message !== undefined) this.#object(named, field.message)
  }

  #object(type: GraphQLObjectType, message: MessageShape): void {
    const key = `${type.name} ${message.name}`
    if (this.#seen.has(key)) return
    this.#seen.add(key)
    const keys = this.#service.entities.get(type.name)
    for (const field of Object.values(type.getFields())) {
      const name = `${type.name}.${field.name}`
      const resolver = this.#service.resolvers.get(name)
      if (resolver !== undefined) {
        this.#ofObject(name, resolver, { message, given: keys?.given ?? new Set() })
        continue
      }
      if (keys?.external.has(field.name)) continue
      const found = memberOf(message, field.name)
      if (found === undefined) {
        const what = `${name} is filled by nothing: ${message.name} has no field "${field.name}"${list('it has', message.fieldNames)}.`
        this.#mistakes.in(field.astNode, `${what} Add "${name}" to resolvers.`)
        continue
      }
      const problem = misfit(field.type, found, 'answer')
      if (problem !== undefined)
        this.#mistakes.in(field.astNode, `${name} does not fit ${message.name}: ${problem}.`)
      this.#value(field.type, found)
    }
  }

  /** What a resolver takes from its object must be there. */
  #ofObject(
    name: string,
    { named, options }: CompiledResolver,
    { message, given }: { readonly message: MessageShape; readonly given: ReadonlySet<string> },
  ): void {
    for (const { kind, way } of named) {
      const [first = ''] = way
      const renamed =
        options.call !== undefined && this.#service.resolvers.has(`${name.split('.')[0]}.${first}`)
      if (kind === 'args' || renamed || given.has(first) || memberOf(message, first) !== undefined) continue
      const path = ['resolvers', name, ...(options.call === undefined ? ['value'] : [])]
      this.#mistakes.at(path, `${message.name} has no field "${first}"${list('it has', message.fieldNames)}`)
    }
  }

  #request(
    written: unknown,
    message: MessageShape,
    at: { readonly args: ReadonlyMap<string, GraphQLType>; readonly path: readonly PropertyKey[] },
  ): void {
    if (!isRecord(written)) return
    for (const [key, value] of Object.entries(written)) {
      const field = message.field(key)
      if (field === undefined) continue
      const path = [...at.path, key]
      if (field.message !== undefined && isRecord(value)) this.#request(value, field.message, { ...at, path })
      const argument = typeof value === 'string' ? /^\$\{args\.([^}.:]+)\}$/.exec(value)?.[1] : undefined
      const type = argument === undefined ? undefined : at.args.get(argument)
      if (type !== undefined) this.#sent(type, field, path)
    }
  }

  #sent(type: GraphQLType, field: FieldShape, path: readonly PropertyKey[]): void {
    const problem = misfit(type, field, 'request')
    if (problem !== undefined) this.#mistakes.at(path, `does not fit ${String(type)}: ${problem}`)
    const named = getNamedType(type)
    const { message } = field
    if (!isInputObjectType(named) || message === undefined || this.#seen.has(`${named.name} ${message.name}`))
      return
    this.#seen.add(`${named.name} ${message.name}`)
    for (const input of Object.values(named.getFields())) {
      const found = message.field(input.name)
      if (found === undefined)
        this.#mistakes.in(
          input.astNode,
          `${message.name} has no field "${input.name}"${list('it has', message.fieldNames)}.`,
        )
      else this.#sent(input.type, found, path)
    }
  }
}

/** A message as if it were a field. */
function whole(message: MessageShape): FieldShape {
  return { type: message.name, kind: 'message', isList: false, message, values: [] }
}

/** By its JSON name, which the answers have. */
function memberOf(message: MessageShape | undefined, name: string): FieldShape | undefined {
  return message?.fieldNames.includes(name) ? message.field(name) : undefined
}
