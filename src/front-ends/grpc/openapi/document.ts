import type { Registry } from '@bufbuild/protobuf'
import type { Policy } from '../../../core/route.ts'
import { type OpenApiPath, openApiPath } from '../../../routing/open-api-path.ts'
import type { Binding } from '../binding.ts'
import type { ProtoComments } from '../proto-comments.ts'
import { describeOperation } from './operation.ts'
import { refusalComponents, streamErrorName } from './responses.ts'
import type { Schema } from './scalar-schema.ts'
import { createSchemas, described, type Schemas } from './schemas.ts'

/** What a description is made from. */
export interface ApiOptions {
  readonly services: readonly DescribedService[]
  /** Must know `google.rpc.Status`. */
  readonly registry: Registry
  readonly comments: ProtoComments
  /** The header with the key of a consumer. */
  readonly apiKeyHeader: string
  readonly info?: ApiInfo
}

/** What the owner says of the whole; the Info Object of OpenAPI 3.1. */
export interface ApiInfo {
  readonly title?: string | undefined
  readonly version?: string | undefined
  readonly description?: string | undefined
  readonly contact?: object | undefined
  readonly license?: object | undefined
}

/** One service of a description. */
export interface DescribedService {
  readonly bindings: readonly Binding[]
  policyOf(binding: Binding): Policy
  readonly style: Schemas['style']
}

/**
 * An OpenAPI 3.1 document with one operation for each binding; the same input gives the same document. Methods that OpenAPI 3.1 has no
 * word for stand under `x-additionalOperations`. Of two bindings that OpenAPI cannot tell apart, the second is named in the first.
 */
export function describeApi({ services, registry, comments, apiKeyHeader, info }: ApiOptions): Schema {
  const components = new Map<string, Schema>()
  const styles = new Set(services.map(({ style }) => suffixOf(style)))
  const schemasIn = (style: Schemas['style']): Schemas =>
    createSchemas({ components, comments, style, suffix: styles.size > 1 ? suffixOf(style) : '' })
  const paths = new Paths()
  const nameOf = operationNames(services)
  for (const { bindings, policyOf, style } of services) {
    const schemas = schemasIn(style)
    for (const binding of bindings) {
      const path = paths.pathOf(binding)
      const id = nameOf(binding)
      const policy = policyOf(binding)
      paths.add(binding, path, describeOperation(binding, { id, path, policy, schemas, comments }))
    }
  }
  const status = registry.getMessage('google.rpc.Status')
  const statusRef = status === undefined ? {} : schemasIn(plainStyle).message(status)
  const streamError = {
    type: 'object',
    description: 'The last element of a stream that failed.',
    properties: { error: statusRef },
  }
  const usesStreams = JSON.stringify(paths.items).includes(streamErrorName)
  if (usesStreams) components.set(streamErrorName, { ...streamError, required: ['error'] })
  const secured = services.some(({ bindings, policyOf }) =>
    bindings.some((binding) => policyOf(binding).auth !== 'none'),
  )
  return {
    openapi: '3.1.0',
    info: {
      title: 'gRPC services over HTTP',
      version: '1.0.0',
      description: 'What the gateway serves by the google.api.http annotations of its protos.',
      ...info,
    },
    servers: [{ url: '/', description: 'This gateway.' }],
    tags: tagsOf(services, comments),
    paths: paths.items,
    components: {
      schemas: Object.fromEntries([...components].sort(([a], [b]) => (a < b ? -1 : 1))),
      responses: usedResponses(paths.items, refusalComponents(statusRef)),
      ...(secured && { securitySchemes: securitySchemes(apiKeyHeader) }),
    },
  }
}

const plainStyle: Schemas['style'] = { protoNames: false, enumsAsNumbers: false }

/** The path items of a document. */
class Paths {
  readonly items: Record<string, Record<string, unknown>> = {}
  readonly #byShape = new Map<string, OpenApiPath>()

  /** In the names of the first path of its shape. */
  pathOf({ template }: Binding): OpenApiPath {
    const path = openApiPath(template)
    const first = this.#byShape.get(path.shape)
    if (first === undefined) {
      this.#byShape.set(path.shape, path)
      return path
    }
    return openApiPath(
      template,
      first.parameters.map(({ name }) => name),
    )
  }

  add({ verb, body, template }: Binding, { text }: OpenApiPath, operation: Schema): void {
    const method = verb === '*' ? (body === undefined ? 'get' : 'post') : verb.toLowerCase()
    const item = this.items[text] ?? {}
    this.items[text] = item
    const extra = (item['x-additionalOperations'] ?? {}) as Record<string, unknown>
    const place = knownMethods.has(method) ? item : extra
    const key = place === item ? method : verb
    const there = place[key] as Schema | undefined
    place[key] =
      there === undefined
        ? operation
        : {
            ...there,
            description: `${there.description}\n\nAs \`${template.text}\` it is ${operation.operationId}.`,
          }
    if (place === extra) item['x-additionalOperations'] = extra
  }
}

const knownMethods = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'])

/** `LibraryService_GetBook`, then `LibraryService_GetBook_2`; the full name of the service where short ones would be the same. */
function operationNames(services: readonly DescribedService[]): (binding: Binding) => string {
  const full = new Set(
    services.flatMap(({ bindings }) => bindings.map((one) => one.method.desc.parent.typeName)),
  )
  const short = [...full].map(lastName)
  const taken = new Set<string>()
  return ({ method: { desc } }) => {
    const { typeName } = desc.parent
    const isShared = short.filter((one) => one === lastName(typeName)).length > 1
    const wish = `${isShared ? typeName.replaceAll('.', '_') : lastName(typeName)}_${desc.name}`
    let name = wish
    for (let number = 2; taken.has(name); number++) name = `${wish}_${number}`
    taken.add(name)
    return name
  }
}

function lastName(typeName: string): string {
  return typeName.slice(typeName.lastIndexOf('.') + 1)
}

function suffixOf({ protoNames, enumsAsNumbers }: Schemas['style']): string {
  return `${protoNames ? '-protoNames' : ''}${enumsAsNumbers ? '-enumsAsNumbers' : ''}`
}

function tagsOf(services: readonly DescribedService[], comments: ProtoComments): Schema[] {
  const names = services.flatMap(({ bindings }) =>
    bindings.slice(0, 1).map((one) => one.method.desc.parent.typeName),
  )
  return [...new Set(names)].map((name) => ({
    name,
    ...described(comments.get(name) ?? `The service ${name}.`),
  }))
}

/** Those that some operation refers to. */
function usedResponses(paths: Schema, responses: Readonly<Record<string, Schema>>): Schema {
  const text = JSON.stringify(paths)
  return Object.fromEntries(
    Object.entries(responses).filter(([name]) => text.includes(`"#/components/responses/${name}"`)),
  )
}

function securitySchemes(apiKeyHeader: string): Schema {
  return {
    apiKey: { type: 'apiKey', in: 'header', name: apiKeyHeader, description: 'The key of a consumer.' },
    bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'A JSON Web Token.' },
  }
}
