import type { Row } from '../core/route.ts'
import { writtenSize } from '../core/units.ts'
import { type OpenApiPath, openApiPath } from '../routing/open-api-path.ts'
import { parseTemplate } from '../routing/template.ts'
import { type DescribedPath, describedPath } from './book.ts'
import type { Json } from './json.ts'
import { namedValues } from './named-values.ts'
import { validated } from './validated.ts'

/** A REST route as it is described. */
export interface DescribedRoute {
  readonly row: Row
  readonly answer: DescribedAnswer
  /** Largest request body; undefined: none is read. */
  readonly bodyBytes: number | undefined
  readonly summary?: string | undefined
  readonly description?: string | undefined
  readonly tags: readonly string[]
  readonly deprecated: boolean
}

/** Who answers, as far as clients see a difference. */
export type DescribedAnswer =
  | { readonly kind: 'upstream' }
  | { readonly kind: 'redirect'; readonly status: number; readonly texts: unknown }
  | {
      readonly kind: 'respond'
      readonly status: number
      /** Undefined: no body. */
      readonly contentType: string | undefined
      readonly texts: unknown
    }
  | { readonly kind: 'aggregate'; readonly members: readonly string[]; readonly texts: unknown }
  | { readonly kind: 'operation'; readonly status: number; readonly texts: unknown }

/** An operation, before it is known whether requests for it come to its row. */
export interface Draft {
  readonly row: Row
  /** Lower case. */
  readonly method: string
  readonly path: DescribedPath
  /** Without id, security and the refusals of the gateway. */
  readonly operation: Json
  /** What it would best be called. */
  readonly id: string
}

/** The operations of a route of which no more is known than its configuration: one for each of its methods. */
export function routeOperations(route: DescribedRoute): Draft[] {
  const { row, answer } = route
  const paths = pathsOf(row.template, answer.kind)
  return paths.flatMap((path, index) =>
    methodsOf(row.methods, answer.kind).map((method): Draft => {
      const id = `${row.id}_${method}${index === 0 ? '' : '_below'}`
      return { row, method, path: describedPath(path.text), operation: operationOf(route, method, path), id }
    }),
  )
}

/** What a route that takes every method is described by. */
function methodsOf(methods: readonly string[], kind: DescribedAnswer['kind']): readonly string[] {
  if (methods.length > 0) return methods.map((method) => method.toLowerCase())
  return kind === 'upstream' ? ['get', 'post', 'put', 'patch', 'delete'] : ['get']
}

/** `/v1/users/**` is `/v1/users`, too: of backends both are described. */
function pathsOf(text: string, kind: DescribedAnswer['kind']): OpenApiPath[] {
  const template = parseTemplate(text)
  const whole = openApiPath(template)
  const last = template.segments.at(-1)
  const isOpen = last?.kind === 'doubleStar' && template.verb === '' && template.segments.length > 1
  if (!isOpen || kind !== 'upstream') return [whole]
  const parameters = whole.parameters.slice(0, -1)
  const base = whole.text.slice(0, whole.text.lastIndexOf('/'))
  return [{ text: base, shape: base, parameters }, whole]
}

function operationOf(route: DescribedRoute, method: string, path: OpenApiPath): Json {
  const { row, answer, summary, description, tags, deprecated, bodyBytes } = route
  const named = answer.kind === 'upstream' ? undefined : namedValues(answer.texts)
  const checked = validated(row.policy, method)
  const parameters = merged([
    ...path.parameters.map(({ name, open }) => pathParameter(name, open)),
    ...conditions(row),
    ...(named?.parameters ?? []),
    ...checked.parameters,
  ])
  const mayHaveBody = !bodiless.has(method) && bodyBytes !== undefined
  const requestBody = checked.body ?? named?.body ?? (answer.kind === 'upstream' ? anyBody : undefined)
  const notes = [
    description ?? texts[answer.kind],
    row.methods.length === 0 && answer.kind !== 'upstream' ? 'Every method is served alike.' : '',
    mayHaveBody ? `A body has at most ${writtenSize(bodyBytes)}.` : '',
  ]
  return {
    tags: tags.length > 0 ? tags : [row.id],
    summary: summary ?? row.id,
    description: notes.filter((note) => note !== '').join('\n\n'),
    ...(deprecated && { deprecated: true }),
    ...(parameters.length > 0 && { parameters }),
    ...(mayHaveBody && requestBody !== undefined && { requestBody }),
    responses: responseOf(answer),
  }
}

/** Those for whose bodies there are no semantics (RFC 9110 section 9.3). */
const bodiless = new Set(['get', 'head', 'delete'])

const texts: Readonly<Record<DescribedAnswer['kind'], string>> = {
  upstream: 'Goes on to a backend, which does not say what it takes and answers.',
  redirect: 'Answers with the address of another place.',
  respond: 'Answered by the gateway itself.',
  aggregate: 'One answer out of several calls.',
  operation: 'Runs a GraphQL operation that the gateway has stored.',
}

const anyBody: Json = { description: 'What the backend takes.', content: { '*/*': {} } }

function pathParameter(name: string, isOpen: boolean): Json {
  const description = isOpen ? 'Any number of segments, with the slashes between them.' : undefined
  return {
    name,
    in: 'path',
    required: true,
    ...(description !== undefined && { description }),
    schema: { type: 'string' },
  }
}

/** What must be there for a request to come to the route at all. */
function conditions({ headers, query }: Row): Json[] {
  const of = (where: string, name: string, value: string): Json => ({
    name,
    in: where,
    required: true,
    schema: value === '*' ? { type: 'string' } : { type: 'string', enum: [value] },
  })
  return [
    ...headers.map(({ name, value }) => of('header', name, value)),
    ...query.map(({ name, value }) => of('query', name, value)),
  ]
}

/** Each once, as it is described last: what is checked is known best. */
function merged(parameters: readonly Json[]): Json[] {
  return [...new Map(parameters.map((one) => [`${one.in} ${String(one.name)}`, one])).values()]
}

const json = 'application/json'

function responseOf(answer: DescribedAnswer): Json {
  switch (answer.kind) {
    case 'upstream':
      return { '200': { description: 'What the backend answers.' } }
    case 'redirect': {
      const Location = { description: 'Where to.', schema: { type: 'string' } }
      return { [answer.status]: { description: 'It is at another place.', headers: { Location } } }
    }
    case 'respond': {
      const { status, contentType } = answer
      const content = contentType === undefined ? undefined : { [contentType]: {} }
      return { [status]: { description: 'The answer.', ...(content && { content }) } }
    }
    case 'aggregate': {
      const properties = Object.fromEntries(answer.members.map((name) => [name, {}]))
      return {
        '200': {
          description: 'The answer. Where a part is missing, it says which one.',
          headers: { 'X-Gateway-Completed': completed },
          content: { [json]: { schema: { type: 'object', properties } } },
        },
      }
    }
    case 'operation':
      return { [answer.status]: { description: 'What the operation says.', content: { [json]: {} } } }
  }
}

const completed: Json = {
  description: 'Whether it is whole.',
  schema: { type: 'string', enum: ['true', 'false'] },
}
