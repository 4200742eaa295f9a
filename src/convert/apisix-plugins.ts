import { callerOf, headerChanges, plain, some } from './apisix-words.ts'
import { corsPlugin, headersPlugin, known, type Part, window } from './draft.ts'
import type { Reader } from './reader.ts'

/** What a plugin of APISIX becomes; undefined: nothing here does the same. */
export function convertApisixPlugin(name: string, config: Reader): Part | undefined {
  const convert = plugins[name]
  if (convert === undefined) return undefined
  config.child('_meta')
  const part = convert(config)
  config.finish()
  return part
}

/** Plugins that let in who proves who he is. What is not converted closes the route: better that than to open it. */
export const closing = [
  'basic-auth',
  'hmac-auth',
  'ldap-auth',
  'openid-connect',
  'authz-keycloak',
  'authz-casbin',
  'wolf-rbac',
  'cas-auth',
  'opa',
  'forward-auth',
  'multi-auth',
  'jwe-decrypt',
]

const plugins: Readonly<Record<string, (config: Reader) => Part>> = {
  'key-auth': (config) => {
    config.skip('header', 'query', 'anonymous_consumer', 'realm')
    return identity(config)
  },
  'jwt-auth': (config) => {
    config.skip('header', 'query', 'cookie', 'realm', 'key_claim_name', 'store_in_ctx')
    return identity(config)
  },
  'limit-count': (config) => {
    config.skip(
      'policy',
      'rejected_code',
      'rejected_msg',
      'allow_degradation',
      'show_limit_quota_header',
      'group',
      'redis_host',
      'redis_port',
      'redis_password',
      'redis_database',
      'redis_timeout',
    )
    const [limit, seconds] = [config.number('count') ?? 1, config.number('time_window') ?? 60]
    return { plugins: [{ rateLimit: { limit, window: window(seconds), by: callerOf(config) } }] }
  },
  'limit-req': (config) => {
    config.skip('rejected_code', 'rejected_msg', 'allow_degradation', 'nodelay', 'policy')
    const [rate, burst] = [config.number('rate') ?? 1, config.number('burst') ?? 0]
    const perMinute = rate < 1
    const limit = Math.max(1, Math.round(perMinute ? rate * 60 : rate))
    return {
      plugins: [
        {
          rateLimit: {
            name: 'rate',
            limit,
            window: perMinute ? '1m' : '1s',
            burst: limit + burst,
            by: callerOf(config),
          },
        },
      ],
    }
  },
  'limit-conn': (config) => {
    config.skip(
      'rejected_code',
      'rejected_msg',
      'default_conn_delay',
      'only_use_default_delay',
      'allow_degradation',
      'policy',
    )
    return {
      plugins: [
        {
          concurrency: {
            max: (config.number('conn') ?? 1) + (config.number('burst') ?? 0),
            by: callerOf(config),
          },
        },
      ],
    }
  },
  cors: (config) => {
    const credentials = config.flag('allow_credential') === true
    const written = config.texts('allow_origins')
    const origins = written.map((origin) => (origin === '**' ? '*' : origin))
    const everybody = origins.length === 0 || origins.includes('*')
    if (credentials && everybody)
      config.note('with credentials "*" opens everything to every page: name the origins', 'allow_origins')
    return {
      shared: [
        corsPlugin({
          origins: credentials ? origins.filter((origin) => origin !== '*') : origins,
          methods: plain(config.texts('allow_methods')),
          headers: plain(config.texts('allow_headers')),
          exposed: plain(config.texts('expose_headers')),
          credentials: credentials && !everybody,
          maxAgeSeconds: config.number('max_age'),
        }),
      ],
    }
  },
  'ip-restriction': (config) => {
    config.skip('message', 'response_code')
    return {
      plugins: [
        {
          ipAccess: known({ allow: some(config.texts('whitelist')), deny: some(config.texts('blacklist')) }),
        },
      ],
    }
  },
  'ua-restriction': (config) => {
    config.skip('message')
    const [allow, deny] = [config.texts('allowlist'), config.texts('denylist')]
    if ([...allow, ...deny].some((pattern) => /[\\^$()[\]|+?]/.test(pattern)))
      config.note('patterns are texts with * here: look at them')
    const required = config.flag('bypass_missing') === true ? undefined : true
    return { plugins: [{ userAgent: known({ allow: some(allow), deny: some(deny), required }) }] }
  },
  'proxy-rewrite': (config) => {
    const [uri, host, method] = [config.text('uri'), config.text('host'), config.text('method')]
    if (host !== undefined) config.note('upstreams get their own Host', 'host')
    if (method !== undefined) config.note('the method stays as it is', 'method')
    if (config.texts('regex_uri').length > 0)
      config.note(
        'regular expressions are not converted: see rewrite.stripPrefix and rewrite.path',
        'regex_uri',
      )
    config.skip('use_real_request_uri_unsafe', 'scheme')
    if (uri?.includes('$') === true) config.note('variables are written as docs/shaping.md says', 'uri')
    return {
      plugins: headersPlugin({ request: headerChanges(config) }),
      rewrite: known({ path: uri?.includes('$') === true ? undefined : uri }),
    }
  },
  'response-rewrite': (config) => {
    for (const key of ['body', 'status_code', 'body_base64', 'filters', 'vars'])
      if (config.has(key)) config.note('answers keep their status and body', key)
    return { plugins: headersPlugin({ response: headerChanges(config) }) }
  },
  redirect: (config) => {
    const [to, status] = [config.text('uri'), config.number('ret_code') ?? 302]
    if (config.flag('http_to_https') === true)
      config.note('see server.tls: there is no redirect from http to https yet', 'http_to_https')
    if (config.texts('regex_uri').length > 0)
      config.note('regular expressions are not converted', 'regex_uri')
    const keepQuery = config.flag('append_query_string') === true ? true : undefined
    if (to?.includes('$') === true) config.note('variables are written as docs/shaping.md says', 'uri')
    return to === undefined || to.includes('$')
      ? {}
      : { route: { redirect: known({ to, status, keepQuery }) } }
  },
  mocking: (config) => {
    config.skip('with_mock_header', 'delay')
    const [status, body, type] = [
      config.number('response_status'),
      config.text('response_example'),
      config.text('content_type'),
    ]
    return {
      route: {
        respond: known({ status, body, headers: type === undefined ? undefined : { 'content-type': type } }),
      },
    }
  },
  'consumer-restriction': (config) => {
    config.skip('rejected_code', 'rejected_msg')
    const isByName = (config.text('type') ?? 'consumer_name') === 'consumer_name'
    const consumers = config.texts('whitelist')
    if (!isByName || config.texts('blacklist').length > 0)
      config.note('only a whitelist of consumer names is converted (authorize.consumers)')
    return {
      auth: 'required',
      ...(isByName && consumers.length > 0 && { route: { authorize: { consumers } } }),
    }
  },
  'client-control': (config) => {
    const bytes = config.number('max_body_size')
    return bytes === undefined || bytes === 0 ? {} : { route: { bodyBytes: `${bytes}b` } }
  },
  'request-id': (config) => {
    config.skip('algorithm', 'include_in_response', 'range_id')
    const header = config.text('header_name')
    if (header !== undefined && header.toLowerCase() !== 'x-request-id')
      config.note('the id is in X-Request-Id', 'header_name')
    return { shared: ['requestId'] }
  },
  prometheus: (config) => {
    config.skip(...config.keys)
    return { shared: ['metrics'] }
  },
  gzip: (config) => {
    config.skip(...config.keys)
    return { plugins: [{ compression: { encodings: ['gzip'] } }] }
  },
}

function identity(config: Reader): Part {
  return {
    auth: 'required',
    ...(config.flag('hide_credentials') === false && { route: { forwardCredentials: true } }),
  }
}
