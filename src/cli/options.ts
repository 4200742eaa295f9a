/** Every option of the command line: whether it takes a value, and what that is called. What it means to a command, the command says. */
export const options = {
  against: { type: 'string', value: 'FILE|URL' },
  auth: { type: 'string', value: 'required|optional|none' },
  before: { type: 'string', value: 'TIME' },
  config: { type: 'string', short: 'c', value: 'FILE' },
  consumer: { type: 'string', value: 'ID' },
  'dry-run': { type: 'boolean' },
  env: { type: 'string', value: 'NAME' },
  expires: { type: 'string', value: 'TIME' },
  file: { type: 'string', value: 'FILE' },
  follow: { type: 'boolean', short: 'f' },
  force: { type: 'boolean' },
  from: { type: 'string', value: 'kong|apisix|openapi' },
  header: { type: 'string', short: 'H', value: "'NAME: VALUE'", multiple: true },
  help: { type: 'boolean', short: 'h' },
  host: { type: 'string', value: 'NAME', multiple: true },
  'if-match': { type: 'string', value: 'TAG' },
  issuer: { type: 'string', value: 'URL' },
  json: { type: 'boolean' },
  jti: { type: 'string', value: 'ID' },
  limit: { type: 'string', value: '100/1m' },
  message: { type: 'string', short: 'm', value: 'TEXT' },
  method: { type: 'string', value: 'GET', multiple: true },
  name: { type: 'string', value: 'NAME' },
  note: { type: 'string', value: 'TEXT' },
  offline: { type: 'boolean' },
  operation: { type: 'string', value: 'NAME' },
  operations: { type: 'string', value: 'MANIFEST' },
  output: { type: 'string', short: 'o', value: 'FILE' },
  overlap: { type: 'string', value: '24h' },
  path: { type: 'string', value: "'/v1/shop/**'" },
  port: { type: 'string', short: 'p', value: 'N' },
  print: { type: 'boolean' },
  role: { type: 'string', value: 'NAME', multiple: true },
  route: { type: 'string', value: 'ID' },
  scope: { type: 'string', value: 'NAME', multiple: true },
  set: { type: 'string', value: 'KEY=VALUE', multiple: true },
  sid: { type: 'string', value: 'ID' },
  since: { type: 'string', value: '15m|TIME' },
  status: { type: 'string', value: '404|5xx' },
  'strip-prefix': { type: 'string', value: '/v1/shop' },
  sub: { type: 'string', value: 'USER' },
  supergraph: { type: 'string', value: 'FILE' },
  tag: { type: 'string', value: 'NAME', multiple: true },
  token: { type: 'string', value: 'TOKEN' },
  trace: { type: 'string', value: 'ID' },
  undo: { type: 'boolean' },
  until: { type: 'string', value: 'TIME|forever' },
  upstream: { type: 'string', value: 'NAME' },
  url: { type: 'string', value: 'URL' },
  variables: { type: 'string', value: 'JSON' },
  version: { type: 'string', value: 'N' },
  weight: { type: 'string', value: 'N' },
} as const satisfies Readonly<Record<string, OptionKind>>

interface OptionKind {
  readonly type: 'string' | 'boolean'
  /** One letter. */
  readonly short?: string
  /** How its value is called in help. */
  readonly value?: string
  /** Whether it may be there several times. */
  readonly multiple?: boolean
}

export type OptionName = keyof typeof options

/** What was given, by option. */
export type OptionValues = {
  readonly [Name in OptionName]?: Given<(typeof options)[Name]> | undefined
}

type Given<Kind extends OptionKind> = Kind['type'] extends 'boolean'
  ? boolean
  : Kind extends { readonly multiple: true }
    ? string[]
    : string

/** How an option stands in help: `--header 'NAME: VALUE'`. */
export function optionUsage(name: OptionName): string {
  const { value, short }: OptionKind = options[name]
  return `${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`
}
