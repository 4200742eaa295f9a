import { createServer } from 'node:net'
import type { Config } from '../../config/schema.ts'
import { type Finding, fail, ok } from './finding.ts'

/** Whether the gateway could listen where the configuration says. */
export function lookAtPorts({ server }: Config): Promise<Finding[]> {
  const places = [
    ['server.listen', server.listen],
    ...(server.tls === undefined ? [] : [['server.tls.listen', server.tls.listen]]),
  ] as const
  return Promise.all(places.map(([key = '', place = '']) => lookAtPort(key, place)))
}

async function lookAtPort(key: string, place: string): Promise<Finding> {
  const colon = place.lastIndexOf(':')
  const [host, port] = [place.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), Number(place.slice(colon + 1))]
  const code = await troubleListening(host, port)
  if (code === undefined) return ok('port', `${place} is free (${key})`)
  if (code === 'EADDRINUSE')
    return (await isGateway(host, port))
      ? ok('port', `${place} is that of a gateway which runs already (${key})`)
      : fail(
          'port',
          `${place} is taken by another process (${key})`,
          `end it (ss -ltnp 'sport = :${port}' names it), or choose another port`,
        )
  if (code === 'EACCES')
    return fail(
      'port',
      `${place} may not be opened (${key})`,
      'ports below 1024 need privileges: take one above, or give CAP_NET_BIND_SERVICE',
    )
  return fail(
    'port',
    `${place} cannot be opened: ${code} (${key})`,
    `${key} must be an address of this machine, or 0.0.0.0 or [::] for all`,
  )
}

/** What the system says against it. */
function troubleListening(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
}

async function isGateway(host: string, port: number): Promise<boolean> {
  const near =
    host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host
  try {
    const answer = await fetch(`http://${near}:${port}/health`, { signal: AbortSignal.timeout(2_000) })
    return ((await answer.json()) as { service?: unknown }).service === 'trivium'
  } catch {
    return false
  }
}
