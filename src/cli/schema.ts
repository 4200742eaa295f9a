import { configJsonSchema } from '../config/json-schema.ts'
import { builtinPlugins } from '../plugins/builtin.ts'

/** `gateway schema`: the JSON schema of the configuration, with the built-in plugins. */
export async function printSchema(): Promise<number> {
  console.log(JSON.stringify(configJsonSchema(builtinPlugins), null, 2))
  return 0
}
