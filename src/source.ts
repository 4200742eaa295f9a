import { stringify } from 'yaml'
import { ConfigDocument, type Environment } from './config/document.ts'
import { checkConfig, type LoadedConfig, pluginModulesOf, readDocument } from './config/load.ts'
import { SeenFiles } from './config/seen-files.ts'
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
  readonly loaded: LoadedConfig
  readonly definitions: readonly PluginDefinition[]
}

/** Reads the configuration anew, noting in `files` what it depends on, also when it is refused. Throws a ConfigError. */
export async function readSource(options: SourceOptions, files = new SeenFiles()): Promise<Source> {
  const { environment = {}, file, config = {}, plugins = [] } = options
  const document =
    file === undefined
      ? new ConfigDocument('configuration', stringify(config), environment, files)
      : readDocument(file, environment, files)
  const modules = await loadPluginModules(document, pluginModulesOf(document))
  const definitions = [...builtinPlugins, ...plugins, ...modules]
  return { loaded: checkConfig(document, definitions), definitions }
}
