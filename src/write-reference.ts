import { writeFileSync } from 'node:fs'
import { configJsonSchema } from './config/json-schema.ts'
import { configReference } from './config/reference.ts'
import { errorReference } from './error-reference.ts'
import { builtinPlugins } from './plugins/builtin.ts'

/** `npm run reference`: writes what is derived from declarations; a test holds the files equal to them. */
const files = {
  'schemas/gateway.schema.json': `${JSON.stringify(configJsonSchema(builtinPlugins), null, 2)}\n`,
  'docs/configuration.md': configReference(builtinPlugins),
  'docs/errors.md': errorReference(),
}
for (const [file, text] of Object.entries(files)) writeFileSync(new URL(`../${file}`, import.meta.url), text)
