import { readFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { stringify } from 'yaml'
import { ConfigDocument, type Environment } from './config/document.ts'
import { checkConfig, type LoadedConfig, pluginModulesOf } from './config/load.ts'
import { ConfigError } from './config/problem.ts'
import { SeenFiles } from './config/seen-files.ts'
import { messageOf } from './core/message-of.ts'
import type { PluginDefinition } from './pipeline/registry.ts'
import { loadPluginModules } from './plugin-modules.ts'
import { builtinPlugins } from './plugins/builtin.ts'

/** Where a gateway's configuration comes from. Either `file` or `config` is needed. */
export interface SourceOptions {
  /** Path of a `gateway.yaml`; watched unless `watch` is false. */
  readonly file?: string
  /** The same as an object, in the words of `gateway.yaml`. Paths in it are relative to the working directory. */
  readonly config?: object
  /** For `${NAME}` in the configuration. Default: none. */
  readonly environment?: Environment
  /** Plugins of your own, beside the built-in ones and those of `pluginModules`. */
  readonly plugins?: readonly PluginDefinition[]
}

/** A configuration that was read and checked, and the plugins that it may name. */
export interface Source {
  /** As it was written. */
  readonly text: string
  readonly loaded: LoadedConfig
  readonly definitions: readonly PluginDefinition[]
}

/** The text of the file, noting it in `files`, or of the object. Throws a ConfigError when it cannot be read. */
export function readText({ file, config = {} }: SourceOptions, files: SeenFiles): string {
  if (file === undefined) return stringify(config)
  files.see(resolve(file))
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const message = `cannot be read: ${messageOf(error)}`
    throw new ConfigError([{ file: shownName({ file }), line: 0, column: 0, path: '', message }])
  }
}

/**
 * Checks a text that stands, or could stand, where the configuration comes from; notes in `files` what it depends on, also when it is refused.
 * Throws a ConfigError.
 */
export async function sourceOf(text: string, options: SourceOptions, files: SeenFiles): Promise<Source> {
  const { environment = {}, plugins = [] } = options
  const document = new ConfigDocument(shownName(options), text, environment, files)
  const modules = await loadPluginModules(document, pluginModulesOf(document))
  const definitions = [...builtinPlugins, ...plugins, ...modules]
  return { text, loaded: checkConfig(document, definitions), definitions }
}

/** Reads the configuration anew and checks it. Throws a ConfigError. */
export async function readSource(options: SourceOptions, files = new SeenFiles()): Promise<Source> {
  return await sourceOf(readText(options, files), options, files)
}

/** What messages call it; paths in it are relative to its folder. */
function shownName({ file }: Pick<SourceOptions, 'file'>): string {
  return file === undefined ? 'configuration' : relative(process.cwd(), resolve(file)) || file
}
