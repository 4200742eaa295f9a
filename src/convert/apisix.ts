import { closing, convertApisixPlugin } from './apisix-plugins.ts'
import { convertUpstream, seconds, times } from './apisix-upstream.ts'
import { type Converted, Draft, type Json, known, type Part } from './draft.ts'
import { hashOfKey } from './hash-of-key.ts'
import { Reader } from './reader.ts'

/** Converts a file of APISIX's stand-alone mode (`apisix.yaml`, with or without its `#END`). */
export function convertApisix(data: unknown): Converted {
  const root = new Reader(data)
  const draft = new Draft()
  const byId = (key: string): Map<string, Reader> =>
    new Map(root.children(key).map((item, index) => [item.text('id') ?? String(index + 1), item]))
  const services = byId('services')
  const upstreams = byId('upstreams')
  const shared = byId('plugin_configs')
  for (const consumer of root.children('consumers')) convertConsumer(draft, consumer)
  const everywhere = new Map<string, Part>()
  for (const rule of root.children('global_rules')) {
    rule.skip('id', ...times)
    for (const [name, part] of convertPlugins(draft, rule)) everywhere.set(name, part)
    rule.finish()
  }
  const names = new Map<Reader, string>()
  const upstreamOf = (place: Reader): string | undefined => {
    const id = place.text('upstream_id')
    const written = id === undefined ? place.child('upstream') : upstreams.get(id)
    if (id !== undefined && written === undefined) place.note(`there is no upstream "${id}"`)
    if (written === undefined) return undefined
    const known = names.get(written)
    if (known !== undefined) return known
    const name = draft.id(
      'upstream',
      written.text('name') ??
        (id === undefined
          ? `${place.text('name') ?? place.text('id') ?? 'route'}-upstream`
          : `upstream-${id}`),
    )
    names.set(written, name)
    draft.upstreams[name] = convertUpstream(written)
    return name
  }
  const serviceParts = new Map([...services].map(([id, service]) => [id, convertPlugins(draft, service)]))
  const configParts = new Map([...shared].map(([id, config]) => [id, convertPlugins(draft, config)]))
  for (const route of root.children('routes')) {
    const serviceId = route.text('service_id')
    const service = services.get(serviceId ?? '')
    const parts = new Map([
      ...everywhere,
      ...(serviceParts.get(serviceId ?? '') ?? []),
      ...(configParts.get(route.text('plugin_config_id') ?? '') ?? []),
      ...convertPlugins(draft, route),
    ])
    const upstream = upstreamOf(route) ?? (service === undefined ? undefined : upstreamOf(service))
    convertRoute(draft, route, { upstream, hosts: service?.texts('hosts') ?? [], parts: [...parts.values()] })
  }
  for (const item of [...services.values(), ...shared.values()]) {
    item.skip(
      'id',
      'name',
      'desc',
      'labels',
      'upstream',
      'upstream_id',
      'hosts',
      'enable_websocket',
      ...times,
    )
    item.finish()
  }
  for (const [id, upstream] of upstreams)
    if (!names.has(upstream)) upstream.note(`upstream "${id}" is used by no route: left out`)
  root.skip('plugins', 'plugin_metadata')
  root.finish()
  return { config: draft.config(), notes: root.notes }
}

function convertRoute(
  draft: Draft,
  route: Reader,
  {
    upstream,
    hosts,
    parts,
  }: { upstream: string | undefined; hosts: readonly string[]; parts: readonly Part[] },
): void {
  route.skip('desc', 'labels', 'enable_websocket', ...times)
  const [id = draft.routes.length + 1, given] = [route.text('id'), route.text('name')]
  const name = given ?? `route-${id}`
  const narrower = ['vars', 'filter_func', 'script'].find((key) => route.has(key))
  if (narrower !== undefined) {
    route.note('the condition is not converted, and the route would take more without it: left out', narrower)
    return
  }
  if (route.number('status') === 0) {
    route.note('is disabled (status 0): left out')
    return
  }
  const answers = parts.some(({ route: own }) => own?.respond !== undefined || own?.redirect !== undefined)
  if (upstream === undefined && !answers) {
    route.note('has no upstream: left out')
    return
  }
  const timeout = route.child('timeout')?.number('read')
  route.child('timeout')?.skip('connect', 'send')
  const priority = route.number('priority')
  const own = route.texts('hosts')
  const one = route.text('host')
  const shared = known({
    methods: list(route.texts('methods')),
    hosts: list(own.length > 0 ? own : one === undefined ? hosts : [one]),
    priority: priority === undefined || priority === 0 ? undefined : priority,
    timeout: seconds(timeout),
  })
  const addresses = [
    ...route.texts('remote_addrs'),
    ...(route.has('remote_addr') ? [route.text('remote_addr') ?? ''] : []),
  ]
  const limited: readonly Part[] =
    addresses.length > 0 ? [{ plugins: [{ ipAccess: { allow: addresses } }] }, ...parts] : parts
  const uri = route.text('uri')
  for (const path of route.has('uris') ? route.texts('uris') : [uri ?? '/*'])
    draft.route({ id: draft.id('route', name), path: templateOf(path), ...shared, upstream }, limited)
  route.finish()
}

/** `/foo*` and `/foo/*` are prefixes there; `:name` is a segment. */
function templateOf(uri: string): string {
  const segments = uri.replace(/\/?\*$/, '/**').replace(/\/:([A-Za-z_]\w*)/g, '/{$1}')
  return segments === '' ? '/' : segments
}

function convertPlugins(draft: Draft, place: Reader): Map<string, Part> {
  const parts = new Map<string, Part>()
  const plugins = place.child('plugins')
  for (const name of plugins?.keys ?? []) {
    const config = plugins?.child(name)
    if (config === undefined) continue
    if (config.child('_meta')?.flag('disable') === true) continue
    if (name === 'key-auth') readKeyPlaces(draft, config)
    const part = convertApisixPlugin(name, config)
    if (part !== undefined) {
      draft.share(part.shared ?? [])
      parts.set(name, part)
      continue
    }
    config.note(
      `the plugin "${name}" is not converted${closing.includes(name) ? '; the route needs an identity all the same' : ''}`,
    )
    if (closing.includes(name)) parts.set(name, { auth: 'required' })
  }
  return parts
}

function readKeyPlaces(draft: Draft, config: Reader): void {
  const places = known({
    header: (config.text('header') ?? 'apikey').toLowerCase(),
    query: config.text('query') ?? 'apikey',
  })
  if (draft.apiKeys !== undefined && JSON.stringify(draft.apiKeys) !== JSON.stringify(places))
    config.note('all routes have the same header for keys (auth.apiKeys): that of the first stands', 'header')
  draft.apiKeys ??= places
}

function convertConsumer(draft: Draft, consumer: Reader): void {
  consumer.skip('desc', 'labels', 'id', ...times)
  const id = draft.id('consumer', consumer.text('username') ?? 'consumer')
  const plugins = consumer.child('plugins')
  const keys: Json[] = []
  for (const name of plugins?.keys ?? []) {
    const config = plugins?.child(name)
    const key = config?.text('key')
    if (name === 'key-auth' && key !== undefined) keys.push({ hash: hashOfKey(key) })
    else if (name === 'jwt-auth')
      config?.note(
        'tokens of a consumer are known by a claim "key" there and by an issuer here: write it in auth.jwt',
      )
    else config?.note(`the plugin "${name}" of a consumer is not converted`)
  }
  draft.consumers.push(known({ id, keys: keys.length > 0 ? keys : undefined }))
  consumer.finish()
}

function list(items: readonly string[]): readonly string[] | undefined {
  return items.length > 0 ? items : undefined
}
