import { statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ConfigDocument } from './config/document.ts'
import { ConfigError } from './config/problem.ts'
import { messageOf } from './core/message-of.ts'
import type { PluginDefinition } from './pipeline/registry.ts'

/** Loads the plugins of `pluginModules`: each module exports `plugin`. Throws a ConfigError that points at the entry. */
export function loadPluginModules(
  document: ConfigDocument,
  paths: readonly string[],
): Promise<PluginDefinition[]> {
  return Promise.all(
    paths.map(async (path, index) => {
      const file = resolve(dirname(document.file), path)
      document.files.see(file)
      try {
        return await loadPlugin(file)
      } catch (error) {
        const message = messageOf(error)
        throw new ConfigError([document.problem(['pluginModules', index], message)])
      }
    }),
  )
}

async function loadPlugin(file: string): Promise<PluginDefinition> {
  // A changed file is another module to Node: without the time in its URL the first version would stay for ever.
  const { mtimeMs } = statSync(file)
  const { plugin } = (await import(`${pathToFileURL(file).href}?v=${mtimeMs}`)) as {
    plugin?: PluginDefinition
  }
  if (typeof plugin?.name !== 'string' || typeof plugin.create !== 'function') {
    throw new Error(`${file} does not export "plugin", made with definePlugin`)
  }
  return plugin
}
