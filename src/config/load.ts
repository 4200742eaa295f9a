import { resolve } from 'node:path'
import { z } from 'zod'
import type { ConfigDocument } from './document.ts'
import { knownKeys } from './known-keys.ts'
import { wordHint } from './nearest-word.ts'
import type { PluginOptions } from './plugin-list.ts'
import { ConfigError, type Problem } from './problem.ts'
import { checkReferences } from './references.ts'
import { type Config, configSchema } from './schema.ts'

/** A configuration that was read and checked, with what is needed to point back into it. */
export interface LoadedConfig {
  readonly config: Config
  readonly document: ConfigDocument
  /** The file, absolute. */
  readonly file: string
}

/** Checks a document against the schema and its own references. Mistakes are listed in the order of the file. */
export function checkConfig(document: ConfigDocument, plugins: readonly PluginOptions[]): LoadedConfig {
  if (document.problems.length > 0) throw new ConfigError(document.problems)
  // Whatever stands under it would be dropped without a word.
  const lost = wayToProto(document.data)
  if (lost !== undefined) throw new ConfigError([document.problem(lost, 'this name cannot be used')])
  const parsed = configSchema(plugins).safeParse(document.data, { error: inWords })
  const problems = parsed.success
    ? checkReferences(parsed.data).map(({ path, message }) => document.problem(path, message))
    : parsed.error.issues.flatMap((issue) => describe(issue, document, plugins))
  if (problems.length > 0)
    throw new ConfigError(problems.sort((a, b) => a.line - b.line || a.column - b.column))
  return { config: parsed.data as Config, document, file: resolve(document.file) }
}

/** The keys that lead to a member of the name `__proto__`; undefined: there is none. */
function wayToProto(value: unknown): PropertyKey[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  for (const [key, member] of Object.entries(value)) {
    if (key === '__proto__') return [key]
    const way = wayToProto(member)
    if (way !== undefined) return [Array.isArray(value) ? Number(key) : key, ...way]
  }
  return undefined
}

/** The modules with plugins of a document, as they are written: needed before the rest can be checked. */
export function pluginModulesOf(document: ConfigDocument): string[] {
  if (document.problems.length > 0) return []
  const found = z.object({ pluginModules: z.array(z.string()) }).safeParse(document.data)
  return found.success ? found.data.pluginModules : []
}

/** What is said of a value that is missing or no whole number; undefined: what zod says will do. */
function inWords({ code, input, expected }: z.core.$ZodRawIssue): string | undefined {
  if (code !== 'invalid_type') return undefined
  if (input === undefined) return `is missing: expected ${expected}`
  return expected === 'int' && typeof input === 'number' ? 'expected a whole number' : undefined
}

function describe(
  issue: z.core.$ZodIssue,
  document: ConfigDocument,
  plugins: readonly PluginOptions[],
): Problem[] {
  if (issue.code === 'invalid_key')
    return issue.issues.map(({ message }) => document.problem(issue.path, message))
  if (issue.code !== 'unrecognized_keys') return [document.problem(issue.path, issue.message)]
  const known = knownKeys(plugins, issue.path)
  const names = issue.keys.filter((key) => keyName.test(key))
  // What is no name is a value that lost its quotes, and may be a secret: problems are shown to strangers.
  const lost = document.problem(issue.path, 'has a key that is no name: is a value to be quoted?')
  const problems = names.map((key) => {
    const message = known.includes(key)
      ? `the key "${key}" is for another type`
      : `unknown key "${key}"${wordHint(key, known)}`
    return document.problem([...issue.path, key], message)
  })
  return names.length < issue.keys.length ? [...problems, lost] : problems
}

const keyName = /^[\w.$:/@ -]{1,64}$/
