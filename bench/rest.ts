import { startNginxWith } from '../test/services/nginx.ts'
import { startOwnNode } from '../test/services/own-node.ts'
import type { Contest, Contestant } from './contest.ts'
import { apiKey, guarded, startBenchGateway } from './gateway.ts'

/** 119 bytes, as in docs/architecture.md, "What was measured". */
const answer = JSON.stringify({
  id: '42',
  name: 'Ada Lovelace',
  username: 'adal',
  email: 'ada@example.org',
  roles: ['reader', 'writer'],
  active: true,
})

/** nginx ends a connection after 1,000 requests by default, which costs those who come through it more than themselves. */
const unlimited = 'keepalive_requests 1000000000;'

/** REST through the gateway, through nginx and through http-proxy, in front of an nginx that answers by itself. */
export async function prepareRest(resources: AsyncDisposableStack): Promise<Contest[]> {
  const backend = await startBackend(resources)
  const gateway = await startBenchGateway({
    upstreams: { backend: { targets: [{ url: backend }] } },
    routes: [{ id: 'bench', path: '/v1/users/**', upstream: 'backend', ...guarded }],
  })
  resources.use(gateway)
  const proxy = await startOwnNode({ file: 'bench/references/http-proxy.ts', args: [backend] })
  resources.use(proxy)
  return [
    {
      title: `REST: GET of ${answer.length} bytes`,
      question: { method: 'GET', path: '/v1/users/42', headers: { 'X-API-Key': apiKey } },
      gateway,
      references: [await startNginxProxy(resources, backend), { name: 'http-proxy', ...proxy }],
      aims: [
        { reference: 'nginx', atMost: 4 },
        { reference: 'http-proxy', atMost: 0.5 },
      ],
    },
  ]
}

async function startBackend(resources: AsyncDisposableStack): Promise<string> {
  const nginx = await startNginxWith(
    (port) => `
      ${unlimited}
      server {
        listen 127.0.0.1:${port};
        default_type application/json;
        location / { return 200 '${answer}'; }
      }`,
  )
  resources.defer(nginx.stop)
  return nginx.url
}

/** What an nginx in front of a service has: one worker, kept connections, a limit by address, an access log. */
async function startNginxProxy(resources: AsyncDisposableStack, backend: string): Promise<Contestant> {
  const nginx = await startNginxWith(
    (port) => `
      ${unlimited}
      limit_req_zone $binary_remote_addr zone=bench:1m rate=1000000r/s;
      upstream backend {
        server ${new URL(backend).host};
        keepalive 256;
        ${unlimited}
      }
      server {
        listen 127.0.0.1:${port};
        access_log /dev/null combined buffer=8k flush=1s;
        location / {
          limit_req zone=bench burst=100000 nodelay;
          proxy_pass http://backend;
          proxy_http_version 1.1;
          proxy_set_header Connection "";
          proxy_set_header Host $host;
          proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
          proxy_set_header X-Forwarded-Proto $scheme;
        }
      }`,
  )
  resources.defer(nginx.stop)
  return { name: 'nginx', url: nginx.url, pid: nginx.pid }
}
