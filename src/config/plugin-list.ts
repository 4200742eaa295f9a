import { z } from 'zod'
import { wordHint } from './nearest-word.ts'

/** What the configuration needs to know of a plugin. */
export interface PluginOptions {
  readonly name: string
  readonly options: z.ZodType
}

/** One plugin in a list, its options checked and completed. */
export interface PluginUseConfig {
  readonly name: string
  readonly options: unknown
}

/** A list of plugins, each written `name` or `{name: {options}}`. */
export function pluginList(plugins: readonly PluginOptions[]) {
  const item = z
    .union(
      [z.string(), z.record(z.string(), z.unknown())],
      'expected a plugin: its name, or its name with options',
    )
    .transform((written, context): PluginUseConfig => {
      const names = typeof written === 'string' ? [written] : Object.keys(written)
      const [name = ''] = names
      if (names.length !== 1) {
        context.addIssue('expected one plugin: its name, or its name with options')
        return z.NEVER
      }
      const definition = plugins.find((plugin) => plugin.name === name)
      if (definition === undefined) {
        const known = plugins.map((plugin) => plugin.name)
        context.addIssue(`unknown plugin "${name}"${wordHint(name, known)}`)
        return z.NEVER
      }
      const parsed = definition.options.safeParse(typeof written === 'string' ? {} : (written[name] ?? {}))
      if (parsed.success) return { name, options: parsed.data }
      for (const issue of parsed.error.issues) {
        context.addIssue({
          ...issue,
          path: typeof written === 'string' ? [] : [name, ...issue.path],
        } as never)
      }
      return z.NEVER
    })
  return z.array(item)
}

/** The JSON schema of an item of a plugin list, in place of the loose one that zod derives. */
export function pluginItemSchema(
  plugins: readonly PluginOptions[],
  toSchema: (options: z.ZodType) => object,
): object {
  return {
    anyOf: [
      { type: 'string', enum: plugins.map((plugin) => plugin.name) },
      ...plugins.map((plugin) => ({
        type: 'object',
        properties: { [plugin.name]: toSchema(plugin.options) },
        required: [plugin.name],
        additionalProperties: false,
      })),
    ],
  }
}
