import { type Converted, Draft, known, type Part } from './draft.ts'
import { convertConsumer } from './kong-consumer.ts'
import { labels } from './kong-labels.ts'
import { closing, convertKongPlugin } from './kong-plugins.ts'
import { convertService } from './kong-service.ts'
import { Reader } from './reader.ts'

/** Converts a declarative file of Kong (decK, `_format_version` 3.0, and 1.1 and 2.1 as far as they are the same). */
export function convertKong(data: unknown): Converted {
  const root = new Reader(data)
  const draft = new Draft()
  root.skip('_format_version', '_transform', '_info', '_workspace', '_konnect')
  const pools = new Map(root.children('upstreams').map((pool) => [pool.text('name') ?? '', pool]))
  const unused = new Set(pools.keys())
  for (const consumer of root.children('consumers')) convertConsumer(draft, consumer)
  const scoped = root.children('plugins').map((plugin) => ({
    of:
      reference(plugin, 'route') ??
      reference(plugin, 'service') ??
      (plugin.has('consumer') ? 'a consumer' : undefined),
    isOfConsumer: plugin.has('consumer'),
    plugin,
  }))
  const pluginsOf = (name: string | undefined): Map<string, Part> => {
    const own = scoped.filter(({ of, isOfConsumer }) => of === name && !isOfConsumer)
    return convertPlugins(
      draft,
      own.map(({ plugin }) => plugin),
    )
  }
  for (const { isOfConsumer, plugin } of scoped)
    if (isOfConsumer) plugin.note('plugins of a consumer are not converted; consumers[].rateLimit limits one')
  const everywhere = pluginsOf(undefined)
  const loose = root.children('routes')
  for (const service of root.children('services')) {
    const name = service.text('name') ?? service.text('id') ?? 'service'
    const { upstream, prefix } = convertService(draft, service, { name, pools, unused })
    const ofService = merged(everywhere, pluginsOf(name), convertPlugins(draft, service.children('plugins')))
    const routes = [
      ...service.children('routes'),
      ...loose.filter((route) => reference(route, 'service') === name),
    ]
    for (const route of routes) {
      const routeName = route.text('name') ?? name
      const parts = merged(ofService, pluginsOf(routeName), convertPlugins(draft, route.children('plugins')))
      convertRoute(draft, route, { name: routeName, upstream, prefix, parts: [...parts.values()] })
    }
    service.finish()
  }
  for (const route of loose) if (!route.has('service')) route.note('has no service')
  for (const name of unused) pools.get(name)?.note(`upstream "${name}" is the host of no service: left out`)
  root.finish()
  return { config: draft.config(), notes: root.notes }
}

function convertRoute(
  draft: Draft,
  route: Reader,
  {
    name,
    upstream,
    prefix,
    parts,
  }: { name: string; upstream: string; prefix: string; parts: readonly Part[] },
): void {
  const narrower = ['expression', 'snis', 'sources', 'destinations'].find((key) => route.has(key))
  if (narrower !== undefined) {
    route.note('the condition is not converted, and the route would take more without it: left out', narrower)
    return
  }
  route.skip(
    ...labels,
    'service',
    'name',
    'request_buffering',
    'response_buffering',
    'path_handling',
    'https_redirect_status_code',
  )
  const protocols = route.texts('protocols')
  if (protocols.some((protocol) => !protocol.startsWith('http')))
    route.note('gRPC services stand under grpc.services; others than HTTP are not served', 'protocols')
  if (route.flag('preserve_host') === true)
    route.note("upstreams get their own Host; the client's is in X-Forwarded-Host", 'preserve_host')
  const strips = route.flag('strip_path') ?? true
  const priority = route.number('regex_priority')
  const headers = route.child('headers')
  const match = Object.fromEntries(
    (headers?.keys ?? []).map((key) => [key.toLowerCase(), headers?.texts(key) ?? []]),
  )
  for (const [key, values] of Object.entries(match))
    if (values.length > 1) headers?.note('only one value of a header is matched: the first', key)
  const shared = known({
    methods: list(route.texts('methods')),
    hosts: list(route.texts('hosts')),
    headers:
      headers === undefined
        ? undefined
        : Object.fromEntries(Object.entries(match).map(([key, [first = '*']]) => [key, first])),
    priority: priority === undefined || priority === 0 ? undefined : priority,
  })
  const paths = route.has('paths') ? route.texts('paths') : ['/']
  for (const path of paths) {
    if (path.startsWith('~')) {
      route.note(
        `the regular expression ${path.slice(1)} is not converted: write a path template (/v1/*/items/**)`,
      )
      continue
    }
    const base = path.replace(/\/+$/, '')
    const rewrite = known({
      stripPrefix: strips && base !== '' ? base : undefined,
      prefix: prefix === '' ? undefined : prefix,
    })
    draft.route({ id: draft.id('route', name), path: `${base}/**`, ...shared, upstream, rewrite }, parts)
  }
  route.finish()
}

/** By name: of two alike, that of the narrower place counts. */
function convertPlugins(draft: Draft, plugins: readonly Reader[]): Map<string, Part> {
  const parts = new Map<string, Part>()
  for (const plugin of plugins) {
    plugin.skip(...labels, 'instance_name', 'protocols', 'ordering', 'service', 'route', '_config')
    const name = plugin.text('name') ?? ''
    if (plugin.flag('enabled') === false) {
      plugin.skip('config')
      plugin.note(`"${name}" is disabled: left out`)
      continue
    }
    const config = plugin.child('config') ?? new Reader({}, plugin.path, plugin.notes)
    if (name === 'key-auth') readKeyPlaces(draft, config)
    const part = convertKongPlugin(name, config)
    if (part !== undefined) {
      draft.share(part.shared ?? [])
      parts.set(name, part)
    } else {
      plugin.note(
        `the plugin "${name}" is not converted${closing.includes(name) ? '; the route needs an identity all the same' : ''}`,
      )
      if (closing.includes(name)) parts.set(name, { auth: 'required' })
    }
    plugin.finish()
  }
  return parts
}

function readKeyPlaces(draft: Draft, config: Reader): void {
  const [name = 'apikey', ...others] = config.texts('key_names')
  if (others.length > 0) config.note(`keys are looked for in one header: ${name}`, 'key_names')
  const places = known({
    header: name.toLowerCase(),
    query: config.flag('key_in_query') === false ? undefined : name,
  })
  if (draft.apiKeys !== undefined && JSON.stringify(draft.apiKeys) !== JSON.stringify(places))
    config.note(
      'all routes have the same header for keys (auth.apiKeys): that of the first stands',
      'key_names',
    )
  draft.apiKeys ??= places
}

/** `service: users`, or `service: {name: users}`. */
function reference(reader: Reader, key: string): string | undefined {
  const value = reader.raw(key)
  if (typeof value === 'string') return value
  const { name, id } = (value ?? {}) as { name?: string; id?: string }
  return name ?? id
}

function merged(...maps: readonly ReadonlyMap<string, Part>[]): Map<string, Part> {
  return new Map(maps.flatMap((map) => [...map]))
}

function list(items: readonly string[]): readonly string[] | undefined {
  return items.length > 0 ? items : undefined
}
