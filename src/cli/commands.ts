import { parseArgs } from 'node:util'
import { ConfigError } from '../config/problem.ts'

/** What a command is given: its own words and the options that all share. */
export interface CommandInput {
  readonly words: readonly string[]
  /** Path of the configuration. */
  readonly config: string
  readonly json: boolean
  readonly headers: readonly string[]
  readonly port: string | undefined
  readonly print: boolean
  readonly issuer: string | undefined
  readonly roles: readonly string[]
  /** The options that only some commands have, as they were given. */
  readonly values: {
    readonly url?: string | undefined
    readonly token?: string | undefined
    readonly offline?: boolean | undefined
    readonly name?: string | undefined
    readonly env?: string | undefined
    readonly expires?: string | undefined
    readonly overlap?: string | undefined
    readonly scope?: string[] | undefined
    readonly jti?: string | undefined
    readonly sid?: string | undefined
    readonly sub?: string | undefined
    readonly consumer?: string | undefined
    readonly before?: string | undefined
    readonly until?: string | undefined
    readonly note?: string | undefined
    readonly undo?: boolean | undefined
    readonly output?: string | undefined
    readonly supergraph?: string | undefined
    readonly against?: string | undefined
    readonly operations?: string | undefined
    readonly operation?: string | undefined
    readonly variables?: string | undefined
  }
}

/** Runs one command line. Resolves with the exit code: 0 done, 1 error, 2 clients would break. */
export async function runCommand(argv: readonly string[]): Promise<number> {
  try {
    const { positionals, values } = parseArgs({ args: [...argv], options: flags, allowPositionals: true })
    const [name = ''] = positionals
    const command = commands.find(({ words }) => words.every((word, index) => positionals[index] === word))
    if (values.help === true || name === '' || name === 'help') {
      console.log(usage)
      return 0
    }
    if (command === undefined) {
      console.error(unknownCommand(positionals))
      return 1
    }
    const {
      config,
      json = false,
      header: headers = [],
      port,
      print = false,
      issuer,
      role: roles = [],
    } = values
    if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) <= 65_535)) {
      throw new Error(`--port must be 0 to 65535, not "${port}"`)
    }
    const words = positionals.slice(command.words.length)
    const path = config ?? (command.takesFile === true ? words[0] : undefined) ?? 'gateway.yaml'
    return await command.run({ words, config: path, json, headers, port, print, issuer, roles, values })
  } catch (error) {
    console.error(describeFailure(error))
    return 1
  }
}

interface Command {
  readonly words: readonly string[]
  /** Whether its first word may be the configuration. */
  readonly takesFile?: boolean
  run(input: CommandInput): Promise<number>
}

/** Loaded when they are run: most of the gateway is not needed to make a key. */
const commands: readonly Command[] = [
  {
    words: ['start'],
    takesFile: true,
    run: async (input) => (await import('./start.ts')).startGateway(input),
  },
  {
    words: ['validate'],
    takesFile: true,
    run: async (input) => (await import('./validate.ts')).validateConfig(input),
  },
  { words: ['routes', 'list'], run: async (input) => (await import('./routes.ts')).listRoutes(input) },
  { words: ['routes', 'explain'], run: async (input) => (await import('./routes.ts')).explainRoute(input) },
  { words: ['keys', 'create'], run: async (input) => (await import('./keys.ts')).createKey(input) },
  { words: ['keys', 'list'], run: async (input) => (await import('./keys.ts')).listKeys(input) },
  { words: ['keys', 'rotate'], run: async (input) => (await import('./keys.ts')).rotateKey(input) },
  { words: ['keys', 'revoke'], run: async (input) => (await import('./keys.ts')).revokeKey(input) },
  { words: ['admin', 'token'], run: async (input) => (await import('./keys.ts')).createAdminToken(input) },
  { words: ['users', 'hash'], run: async (input) => (await import('./users.ts')).hashUserPassword(input) },
  { words: ['token', 'sign'], run: async (input) => (await import('./token.ts')).signToken(input) },
  { words: ['token', 'verify'], run: async (input) => (await import('./revoke.ts')).verifyToken(input) },
  { words: ['token', 'revoke'], run: async (input) => (await import('./revoke.ts')).revokeToken(input) },
  {
    words: ['graphql', 'compose'],
    run: async (input) => (await import('./graphql-compose.ts')).composeGraphql(input),
  },
  {
    words: ['graphql', 'plan'],
    run: async (input) => (await import('./graphql-plan.ts')).planGraphql(input),
  },
  {
    words: ['graphql', 'check'],
    run: async (input) => (await import('./graphql-check.ts')).checkGraphql(input),
  },
  { words: ['schema'], run: async () => (await import('./schema.ts')).printSchema() },
]

const flags = {
  config: { type: 'string', short: 'c' },
  json: { type: 'boolean' },
  header: { type: 'string', short: 'H', multiple: true },
  port: { type: 'string', short: 'p' },
  print: { type: 'boolean' },
  issuer: { type: 'string' },
  role: { type: 'string', multiple: true },
  url: { type: 'string' },
  token: { type: 'string' },
  offline: { type: 'boolean' },
  name: { type: 'string' },
  env: { type: 'string' },
  expires: { type: 'string' },
  overlap: { type: 'string' },
  scope: { type: 'string', multiple: true },
  jti: { type: 'string' },
  sid: { type: 'string' },
  sub: { type: 'string' },
  consumer: { type: 'string' },
  before: { type: 'string' },
  until: { type: 'string' },
  note: { type: 'string' },
  undo: { type: 'boolean' },
  output: { type: 'string', short: 'o' },
  supergraph: { type: 'string' },
  against: { type: 'string' },
  operations: { type: 'string' },
  operation: { type: 'string' },
  variables: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

const usage = `gateway <command> [--config gateway.yaml] [--json]

  start [file] [--port N]           run the gateway; SIGHUP or a change of the file reloads, SIGTERM drains
  validate [file] [--print]         check a configuration as start does; --print shows it with every default
  routes list                       the routing table, in the words of the configuration
  routes explain METHOD PATH [-H 'Name: value']
                                    which route takes a request, and why others do not
  keys create CONSUMER [--name N] [--scope S] [--role R] [--expires TIME] [--env live]
                                    have a running gateway make an API key; --offline: one whose hash belongs into the configuration
  keys list [CONSUMER]              all keys, with their state and when they were used last
  keys rotate ID [--overlap 24h]    another key in its place; the old one is accepted for so long
  keys revoke ID                    no gateway accepts it any more
  admin token NAME [--scope S]      make a token for the admin API (scopes read, keys, write)
  users hash                        read a password, and print the hash for auth.issuer.users
  token sign SUBJECT [--role R] [--scope S]
                                    sign a JWT for trying things, with the configuration's own HS secret
  token verify TOKEN                whom a running gateway takes it for, or why it refuses it; - reads it from standard input
  token revoke TOKEN | --jti ID | --sid ID | --sub USER | --consumer ID
               [--issuer URL] [--before TIME] [--until TIME|forever] [--expires TIME] [--note TEXT] [--undo]
                                    no gateway accepts it any more; --undo: all do again
  graphql compose [NAME=FILE ...] [--output FILE]
                                    the supergraph of these schemas, or of the configuration, whose live subgraphs are asked
  graphql plan FILE|'{ TEXT }' [--supergraph FILE] [--operation NAME] [--variables JSON]
                                    how an operation would be run, how many fetches that takes, and what it costs
  graphql check [NAME=FILE ... | --supergraph FILE] [--against FILE|URL] [--operations MANIFEST]
                                    what a new supergraph means to clients of the one that runs, or to these operations
  schema                            the JSON schema of the configuration

The keys commands, token verify, token revoke and graphql check without --against ask the admin API of a gateway: --url or GATEWAY_ADMIN_URL (default http://127.0.0.1:8080/admin), --token or GATEWAY_ADMIN_TOKEN.
Exit code: 0 done, 1 error, 2 clients would break.`

/** With the commands that begin so, or where all of them are. */
function unknownCommand(positionals: readonly string[]): string {
  const [first, ...more] = positionals
  const others = commands.filter(({ words }) => words.length > 1 && words[0] === first)
  if (more.length > 0 || others.length === 0)
    return `unknown command "${positionals.join(' ')}"; gateway --help lists them`
  return `"${first}" of what? ${others.map(({ words }) => words.join(' ')).join(', ')}; gateway --help explains them`
}

function describeFailure(error: unknown): string {
  if (error instanceof ConfigError) return error.message
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') {
    const { address = '', port = 0 } = error as { address?: string; port?: number }
    return `port ${port} on ${address} is taken by another process; choose another with --port or server.listen`
  }
  if (code === 'EACCES') return `${message}; ports below 1024 need privileges`
  return `gateway: ${message ?? String(error)}`
}
