import { configJsonSchema } from './json-schema.ts'
import type { PluginOptions } from './plugin-list.ts'

/** docs/configuration.md: every key with its type, default and meaning, written from the schema. */
export function configReference(plugins: readonly PluginOptions[]): string {
  const schema = configJsonSchema(plugins) as SchemaNode & { readonly $defs: { readonly plugin: SchemaNode } }
  const lines = [
    '# Configuration',
    '',
    'Written from the schema by `npm run reference`; do not edit. `gateway.yaml` at the top of the repository shows every key in use.',
    '',
    '- Durations are written `250ms`, `5s`, `1m`, `24h`, `7d`; sizes `512b`, `64kb`, `10mb`, `1gb` (1kb is 1024 bytes).',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it tells what may stand there
    '- `${NAME:-default}` in a value is replaced by the environment variable, `file://path` by the content of a file.',
    '- An unknown key, a wrong type or a name that points nowhere is refused, with file, line, column and the nearest known key.',
    '- `gateway validate my.yaml` does all that `start` does but for listening; `--print` shows every default, with secrets masked.',
    '- The file and everything that it names (schemas, protos, key sets) are watched; SIGHUP reloads too. What stands under `server`',
    '  and `stores` is read at the start only, but for `server.access` and the certificates of `server.tls`.',
    '',
    '| key | type | default | meaning |',
    '|---|---|---|---|',
    ...rowsOf(schema, ''),
    '',
    '## Options of the built-in plugins',
    '',
  ]
  for (const variant of schema.$defs.plugin.anyOf ?? []) {
    const [name, options] = Object.entries(variant.properties ?? {})[0] ?? []
    if (name === undefined || options === undefined) continue
    const rows = rowsOf(options, '')
    lines.push(`### ${name}`, '')
    if (rows.length === 0) lines.push('No options.', '')
    else lines.push('| option | type | default | meaning |', '|---|---|---|---|', ...rows, '')
  }
  return `${lines.join('\n').trimEnd()}\n`
}

function rowsOf(node: SchemaNode, prefix: string): string[] {
  const rows = rowsOfKinds(node.oneOf ?? [], prefix)
  for (const [key, child] of Object.entries(node.properties ?? {})) {
    if (key === '$schema') continue
    rows.push(...rowOf(`${prefix}${key}`, child, node.required?.includes(key) === true))
  }
  const { additionalProperties } = node
  if (typeof additionalProperties === 'object' && additionalProperties.properties !== undefined) {
    rows.push(...rowsOf(additionalProperties, `${prefix}<name>.`))
  }
  return rows
}

/** Of an object that is one of several kinds, told apart by `type`: a key that more than one has alike stands once. */
function rowsOfKinds(kinds: readonly SchemaNode[], prefix: string): string[] {
  const words = kinds.map((kind) => kind.properties?.type?.const)
  const keys = new Map<string, { key: string; child: SchemaNode; required: boolean; of: unknown[] }>()
  kinds.forEach((kind, index) => {
    for (const [key, child] of Object.entries(kind.properties ?? {})) {
      if (key === 'type') continue
      const required = kind.required?.includes(key) === true
      const found = keys.get(JSON.stringify([key, child, required])) ?? { key, child, required, of: [] }
      found.of.push(words[index])
      keys.set(JSON.stringify([key, child, required]), found)
    }
  })
  const rows = [...keys.values()].flatMap(({ key, child, required, of }) => {
    const description = `With type ${of.join(' or ')}: ${child.description ?? ''}`
    return rowOf(`${prefix}${key}`, { ...child, description }, required)
  })
  const type: SchemaNode = { enum: words, description: 'Which of these it is.' }
  return kinds.length === 0 ? [] : [...rowOf(`${prefix}type`, type, true), ...rows]
}

function rowOf(path: string, node: SchemaNode, required: boolean): string[] {
  const nested =
    node.type === 'object' ||
    node.oneOf !== undefined ||
    (node.type === 'array' && node.items?.properties !== undefined)
  const inner = node.type === 'array' ? rowsOf(node.items ?? {}, `${path}[].`) : rowsOf(node, `${path}.`)
  const shown = nested && inner.length > 0 ? '' : defaultOf(node, required)
  return [
    `| \`${path}\` | ${typeOf(node)} | ${shown} | ${(node.description ?? '').replaceAll('|', '\\|')} |`,
    ...inner,
  ]
}

function defaultOf(node: SchemaNode, required: boolean): string {
  if (node.default !== undefined) return `\`${JSON.stringify(node.default)}\``
  return required ? 'required' : ''
}

function typeOf(written: SchemaNode): string {
  // The other alternative is a variable.
  const node = written.anyOf?.[0] ?? written
  if (node.enum !== undefined) return node.enum.map((value) => `\`${String(value)}\``).join(' ')
  if (node.$ref !== undefined) return 'plugin'
  if (node.oneOf !== undefined) return 'object'
  if (node.type === 'array') return `list of ${typeOf(node.items ?? {})}`
  if (node.pattern?.includes('(ms|s|m|h|d)') === true) return 'duration'
  if (node.pattern?.includes('[kKmMgG]') === true) return 'size'
  return node.type ?? 'any'
}

interface SchemaNode {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly pattern?: string
  readonly $ref?: string
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly items?: SchemaNode
  readonly anyOf?: readonly SchemaNode[]
  readonly oneOf?: readonly SchemaNode[]
  readonly additionalProperties?: SchemaNode | boolean
}
