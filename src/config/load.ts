import { readFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { z } from 'zod'
import { ConfigDocument, type Environment } from './document.ts'
import { nearestWord } from './nearest-word.ts'
import type { PluginOptions } from './plugin-list.ts'
import { ConfigError } from './problem.ts'
import { checkReferences } from './references.ts'
import { type Config, configSchema } from './schema.ts'

/** A configuration that was read and checked, with what is needed to point back into it. */
export interface LoadedConfig {
  readonly config: Config
  readonly document: ConfigDocument
  /** The file, absolute. */
  readonly file: string
}

/** What reading a configuration needs besides the file. */
export interface LoadOptions {
  readonly environment: Environment
  readonly plugins: readonly PluginOptions[]
}

/** Reads a configuration file. Throws a ConfigError with every mistake that was found. */
export function loadConfig(file: string, options: LoadOptions): LoadedConfig {
  return checkConfig(readDocument(file, options.environment), options.plugins)
}

/** Reads the file as a document, before anything in it is checked; throws a ConfigError when it cannot be read or parsed. */
export function readDocument(file: string, environment: Environment): ConfigDocument {
  const shown = relative(process.cwd(), resolve(file)) || file
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const message = `cannot be read: ${error instanceof Error ? error.message : String(error)}`
    throw new ConfigError([{ file: shown, line: 0, column: 0, path: '', message }])
  }
  return new ConfigDocument(shown, text, environment)
}

/** Checks a document against the schema and its own references. */
export function checkConfig(document: ConfigDocument, plugins: readonly PluginOptions[]): LoadedConfig {
  if (document.problems.length > 0) throw new ConfigError(document.problems)
  const schema = configSchema(plugins)
  const parsed = schema.safeParse(document.data())
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.flatMap((issue) => describe(issue, document, schema)))
  }
  const dangling = checkReferences(parsed.data)
  if (dangling.length > 0) {
    throw new ConfigError(dangling.map(({ path, message }) => document.problem(path, message)))
  }
  return { config: parsed.data, document, file: resolve(document.file) }
}

/** The modules with plugins of a document, as they are written: needed before the rest can be checked. */
export function pluginModulesOf(document: ConfigDocument): string[] {
  const found = z.object({ pluginModules: z.array(z.string()) }).safeParse(document.data())
  return found.success ? found.data.pluginModules : []
}

function describe(issue: z.core.$ZodIssue, document: ConfigDocument, schema: z.ZodType) {
  if (issue.code !== 'unrecognized_keys') return [document.problem(issue.path, issue.message)]
  const known = knownKeys(schema, issue.path)
  return issue.keys.map((key) => {
    const nearest = nearestWord(key, known)
    const hint =
      nearest === undefined
        ? known.length > 0
          ? `; known: ${known.join(', ')}`
          : ''
        : `; did you mean "${nearest}"?`
    return document.problem([...issue.path, key], `unknown key "${key}"${hint}`)
  })
}

/** The keys that an object at this path may have, from the JSON schema of the configuration. */
function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let node = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' }) as SchemaNode
  for (const part of path) {
    const next =
      typeof part === 'number' ? node.items : (node.properties?.[String(part)] ?? node.additionalProperties)
    if (typeof next !== 'object') return []
    node = next
  }
  return Object.keys(node.properties ?? {})
}

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly items?: SchemaNode
  readonly additionalProperties?: SchemaNode | boolean
}
