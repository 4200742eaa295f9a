import { parse } from 'yaml'
import { isRecord } from '../core/is-record.ts'
import { messageOf } from '../core/message-of.ts'
import type { OptionValues } from './options.ts'

type Json = Record<string, unknown>

/** A route of the options of `routes add`; the plugins of one that is there stay. Throws an Error that names the option. */
export function routeOf(values: OptionValues, known?: unknown): Json {
  const { path, upstream, method, host, auth, role, scope, limit } = values
  const strip = values['strip-prefix']
  if (auth !== undefined && !['required', 'optional', 'none'].includes(auth))
    throw new Error(`--auth is required, optional or none, not "${auth}"`)
  const authorize = given({ roles: role, scopes: scope })
  const plugins = isRecord(known) && Array.isArray(known.plugins) ? known.plugins : []
  return withSettings(
    given({
      path,
      methods: method?.flatMap((one) => one.toUpperCase().split(',')),
      hosts: host,
      upstream,
      rewrite: strip === undefined ? undefined : { stripPrefix: strip },
      auth,
      authorize: Object.keys(authorize).length > 0 ? authorize : undefined,
      plugins: limit === undefined ? undefined : withLimit(plugins, limit),
    }),
    values,
  )
}

/** An upstream of the URLs of its targets. */
export function upstreamOf(urls: readonly string[], values: OptionValues): Json {
  return withSettings(given({ targets: urls.length > 0 ? urls.map((url) => ({ url })) : undefined }), values)
}

/** What the options say of a consumer, as the configuration has it. */
export function consumerOf(values: OptionValues): Json {
  const { name, role, scope, limit } = values
  return withSettings(
    given({ name, roles: role, scopes: scope, rateLimit: limit === undefined ? undefined : limitOf(limit) }),
    values,
  )
}

/** What `--set` alone says, for plugins and settings. */
export function settingsOf(values: OptionValues): Json {
  return withSettings({}, values)
}

/** `100/1m` as `{limit: 100, window: 1m}`. */
function limitOf(text: string): { limit: number; window: string } {
  const [, limit, window] = /^(\d+)\/(\d+(?:ms|s|m|h|d)|day|month)$/.exec(text) ?? []
  if (limit === undefined || window === undefined)
    throw new Error(`--limit is written 100/1m (so many requests in so much time), or none; not "${text}"`)
  return { limit: Number(limit), window }
}

/** In place of the first limit that stands there, whose other options stay; `none` takes it out. */
function withLimit(plugins: readonly unknown[], text: string): readonly unknown[] {
  const isLimit = (plugin: unknown): plugin is { rateLimit: object } =>
    isRecord(plugin) && isRecord(plugin.rateLimit)
  const index = plugins.findIndex(isLimit)
  if (text === 'none') return plugins.filter((_, place) => place !== index)
  const limit = limitOf(text)
  const old = plugins[index]
  if (!isLimit(old)) return [...plugins, { rateLimit: limit }]
  return plugins.with(index, { rateLimit: { ...old.rateLimit, ...limit } })
}

/** `--set timeouts.request=2s`: the value is read as YAML, null takes away. */
function withSettings(value: Json, { set = [] }: OptionValues): Json {
  for (const setting of set) {
    const equals = setting.indexOf('=')
    if (equals < 1) throw new Error(`--set is written KEY=VALUE, as in timeouts.request=2s; not "${setting}"`)
    const path = setting.slice(0, equals).split('.')
    if (path.includes('__proto__')) throw new Error('--set cannot set __proto__')
    let place = value
    for (const key of path.slice(0, -1)) {
      const next = isRecord(place[key]) ? (place[key] as Json) : {}
      place[key] = next
      place = next
    }
    place[path.at(-1) ?? ''] = yamlOf(setting, equals + 1)
  }
  return value
}

function yamlOf(setting: string, start: number): unknown {
  try {
    return parse(setting.slice(start), { prettyErrors: false }) as unknown
  } catch (error) {
    throw new Error(`--set ${setting}: the value is no YAML: ${messageOf(error)}`)
  }
}

function given(value: Json): Json {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined))
}
