import type { Hooks } from '../core/exchange.ts'
import type { Plugin } from '../core/plugin.ts'

/** Flattens plugins, in run order, into the arrays that every request of a row walks. `nameOf` is what people know a plugin by. */
export function compileHooks(plugins: readonly Plugin[], nameOf: (plugin: Plugin) => string): Hooks {
  return {
    names: plugins.filter(({ onRequest }) => onRequest !== undefined).map(nameOf),
    onRequest: plugins.flatMap((plugin) => plugin.onRequest?.bind(plugin) ?? []),
    onCall: plugins.flatMap((plugin) => plugin.onCall?.bind(plugin) ?? []),
    onTurn: plugins.flatMap((plugin) => plugin.onTurn?.bind(plugin) ?? []),
    onReply: plugins.flatMap((plugin) => plugin.onReply?.bind(plugin) ?? []),
    onSettled: plugins.flatMap((plugin) => plugin.onSettled?.bind(plugin) ?? []),
  }
}
