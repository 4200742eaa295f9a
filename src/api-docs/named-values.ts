import type { Json } from './json.ts'

/** What of a request the texts of an answer name: `${query.limit}`, `${header.accept-language:-en}`, `${request.body.text}`. */
export interface NamedValues {
  readonly parameters: readonly Json[]
  /** Undefined: nothing of it is named. */
  readonly body: Json | undefined
}

/** Reads the texts of any configuration. What has something in its place (`:-`) is not required. */
export function namedValues(config: unknown): NamedValues {
  const parameters = new Map<string, Json>()
  const members = new Map<string, boolean>()
  let takesBody = false
  for (const text of textsIn(config))
    for (const [, kind = '', key = '', instead] of text.matchAll(values)) {
      const isNeeded = instead === undefined
      if (kind === 'request.body') {
        takesBody = true
        const [member = ''] = key.split('.')
        if (member !== '') members.set(member, (members.get(member) ?? true) && isNeeded)
      } else if (key !== '' && !parameters.has(`${kind} ${key}`))
        parameters.set(`${kind} ${key}`, parameterOf(kind, key, isNeeded))
    }
  if (!takesBody) return { parameters: [...parameters.values()], body: undefined }
  const required = [...members].filter(([, isNeeded]) => isNeeded).map(([name]) => name)
  const schema = {
    type: 'object',
    properties: Object.fromEntries([...members.keys()].map((name) => [name, {}])),
    ...(required.length > 0 && { required }),
  }
  return {
    parameters: [...parameters.values()],
    body: { required: required.length > 0, content: { 'application/json': { schema } } },
  }
}

const values = /\$\{(query|header|request\.body)(?:\.([^}:]*))?(:-[^}]*)?\}/g

/** A header that is missing is empty; what a parameter is for decides whether it may be. */
function parameterOf(kind: string, name: string, isNeeded: boolean): Json {
  return {
    name,
    in: kind,
    description: isNeeded ? 'Goes into the call.' : 'Goes into the call; there is a default.',
    schema: { type: 'string' },
  }
}

function* textsIn(config: unknown): Generator<string> {
  if (typeof config === 'string') yield config
  else if (typeof config === 'object' && config !== null)
    for (const value of Object.values(config)) yield* textsIn(value)
}
