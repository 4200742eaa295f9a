import type { Plugin } from './core/plugin.ts'

/** What people know the plugins of a configuration by: `rateLimit`, `identity`. */
export class PluginNames {
  readonly #names = new Map<Plugin, string>()

  give(plugin: Plugin, name: string): Plugin {
    this.#names.set(plugin, name)
    return plugin
  }

  readonly of = (plugin: Plugin): string => this.#names.get(plugin) ?? ''
}
