import { corsPlugin, headersPlugin, known, type Part } from './draft.ts'
import type { Reader } from './reader.ts'

/** What a plugin of Kong becomes; undefined: nothing here does the same. `config` is its configuration. */
export function convertKongPlugin(name: string, config: Reader): Part | undefined {
  const convert = plugins[name]
  if (convert === undefined) return undefined
  const part = convert(config)
  config.finish()
  return part
}

/** Plugins that let in who proves who he is. What is not converted closes the route: better that than to open it. */
export const closing = [
  'basic-auth',
  'hmac-auth',
  'ldap-auth',
  'ldap-auth-advanced',
  'oauth2',
  'oauth2-introspection',
  'openid-connect',
  'session',
  'mtls-auth',
  'key-auth-enc',
  'jwt-signer',
  'opa',
  'forward-auth',
]

const plugins: Readonly<Record<string, (config: Reader) => Part>> = {
  'key-auth': (config) => {
    config.skip('key_names', 'key_in_header', 'key_in_query', 'realm', 'run_on_preflight')
    if (config.flag('key_in_body') === true) config.note('keys are not looked for in bodies', 'key_in_body')
    return identity(config)
  },
  jwt: (config) => {
    config.skip('run_on_preflight', 'claims_to_verify', 'realm')
    if (config.text('key_claim_name') !== undefined && config.text('key_claim_name') !== 'iss')
      config.note('issuers are told by `iss`', 'key_claim_name')
    if (config.flag('secret_is_base64') === true)
      config.note('write the secret as it is, decoded', 'secret_is_base64')
    return identity(config)
  },
  acl: (config) => {
    config.skip('hide_groups_header')
    const allow = config.texts(config.has('allow') ? 'allow' : 'whitelist')
    return { auth: 'required', ...(allow.length > 0 && { route: { authorize: { roles: allow } } }) }
  },
  'rate-limiting': (config) => {
    config.skip(
      'policy',
      'fault_tolerant',
      'hide_client_headers',
      'redis',
      'redis_host',
      'redis_port',
      'redis_password',
      'redis_database',
      'redis_timeout',
      'sync_rate',
      'error_code',
      'error_message',
      'path',
    )
    const by = {
      consumer: 'consumer',
      credential: 'key',
      ip: 'ip',
      service: 'route',
      path: 'route',
      header: `header:${config.text('header_name') ?? ''}`,
    }
    const written = config.text('limit_by') ?? 'consumer'
    const windows = { second: '1s', minute: '1m', hour: '1h', day: '24h' } as const
    const limits = Object.entries(windows).flatMap(([name, length]) => {
      const limit = config.number(name)
      return limit === undefined
        ? []
        : [{ name, limit, window: length, by: by[written as keyof typeof by] ?? 'ip' }]
    })
    return { plugins: limits.map((limit) => ({ rateLimit: limit })) }
  },
  cors: (config) => {
    config.skip('preflight_continue', 'private_network', 'allow_origin_absent')
    const credentials = config.flag('credentials') === true
    const origins = config.texts('origins')
    if (origins.some((origin) => /[\\^$()[\]]/.test(origin)))
      config.note('patterns of origins are written https://*.example.com', 'origins')
    const plain = origins.filter((origin) => !/[\\^$()[\]]/.test(origin))
    const everybody = plain.length === 0 || plain.includes('*')
    if (credentials && everybody)
      config.note('with credentials "*" opens everything to every page: name the origins', 'origins')
    return {
      shared: [
        corsPlugin({
          origins: credentials ? plain.filter((origin) => origin !== '*') : plain,
          methods: config.texts('methods'),
          headers: config.texts('headers'),
          exposed: config.texts('exposed_headers'),
          credentials: credentials && !everybody,
          maxAgeSeconds: config.number('max_age'),
        }),
      ],
    }
  },
  'ip-restriction': (config) => {
    config.skip('status', 'message')
    const [allow, deny] = [
      config.texts(config.has('allow') ? 'allow' : 'whitelist'),
      config.texts(config.has('deny') ? 'deny' : 'blacklist'),
    ]
    return { plugins: [{ ipAccess: known({ allow: some(allow), deny: some(deny) }) }] }
  },
  'bot-detection': (config) => {
    const [allow, deny] = [config.texts('allow'), config.texts('deny')]
    if ([...allow, ...deny].some((pattern) => /[\\^$()[\]|+?]/.test(pattern)))
      config.note('patterns are texts with * here: look at them')
    return { plugins: [{ userAgent: known({ allow: some(allow), deny: some(deny), scanners: true }) }] }
  },
  'request-size-limiting': (config) => {
    const units = { megabytes: 'mb', kilobytes: 'kb', bytes: 'b' }
    const unit = units[(config.text('size_unit') ?? 'megabytes') as keyof typeof units] ?? 'mb'
    config.skip('require_content_length')
    return { route: { bodyBytes: `${config.number('allowed_payload_size') ?? 128}${unit}` } }
  },
  'request-termination': (config) => {
    const [status, message, body] = [
      config.number('status_code') ?? 503,
      config.text('message'),
      config.text('body'),
    ]
    const type = config.text('content_type')
    return {
      route: {
        respond: known({
          status,
          headers: type === undefined ? undefined : { 'content-type': type },
          body,
          json: body === undefined && message !== undefined ? { message } : undefined,
        }),
      },
    }
  },
  'request-transformer': (config) => {
    const request = headerChanges(config)
    const query = queryChanges(config)
    const path = config.child('replace')?.text('uri')
    return {
      plugins: headersPlugin({ request }),
      rewrite: known({ path, query: Object.keys(query).length > 0 ? query : undefined }),
    }
  },
  'response-transformer': (config) => ({ plugins: headersPlugin({ response: headerChanges(config) }) }),
  'correlation-id': (config) => {
    config.skip('generator', 'echo_downstream')
    const header = config.text('header_name')
    if (header !== undefined && header.toLowerCase() !== 'x-request-id')
      config.note('the id is in X-Request-Id', 'header_name')
    return { shared: ['requestId'] }
  },
  prometheus: (config) => {
    config.skip(...config.keys)
    return { shared: ['metrics'] }
  },
}

function identity(config: Reader): Part {
  const optional = config.text('anonymous') !== undefined
  const forwards = config.flag('hide_credentials') === false
  return {
    auth: optional ? 'optional' : 'required',
    ...(forwards && { route: { forwardCredentials: true } }),
  }
}

/** `add.headers: ["x-a:1"]` and its like. */
function headerChanges(config: Reader): Record<string, unknown> {
  const of = (verb: string): readonly string[] => config.child(verb)?.texts('headers') ?? []
  return {
    remove: of('remove'),
    rename: pairs(of('rename')),
    set: pairs(of('replace')),
    add: pairs([...of('add'), ...of('append')]),
  }
}

function queryChanges(config: Reader): Record<string, unknown> {
  const of = (verb: string): readonly string[] => config.child(verb)?.texts('querystring') ?? []
  const [remove, set, add] = [of('remove'), pairs(of('replace')), pairs([...of('add'), ...of('append')])]
  for (const verb of ['add', 'append', 'remove', 'rename', 'replace'])
    for (const key of ['body', 'json', 'json_types'])
      if ((config.child(verb)?.texts(key).length ?? 0) > 0) config.note('bodies are not changed', verb)
  config.skip('http_method', 'dots_in_keys')
  return known({ remove: some(remove), set: any(set), add: any(add) })
}

function pairs(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => [text.slice(0, text.indexOf(':')).trim(), text.slice(text.indexOf(':') + 1).trim()]),
  )
}

function some(items: readonly string[]): readonly string[] | undefined {
  return items.length > 0 ? items : undefined
}

function any(items: Record<string, string>): Record<string, string> | undefined {
  return Object.keys(items).length > 0 ? items : undefined
}
