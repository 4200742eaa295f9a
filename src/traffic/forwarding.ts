import type { RequestHead } from '../core/exchange.ts'

/**
 * The headers that tell an upstream where a request came from, flat: `X-Forwarded-*`, `Forwarded` (RFC 7239), `Via` (RFC 9110
 * section 7.6.3) and `X-Gateway`. What the client sent of them is kept only when the peer is a trusted proxy; else they are made anew.
 */
export function forwardingHeaders(request: RequestHead, prefix: string): string[] {
  const { peerAddress, peerTrusted, host, scheme } = request
  const before = peerTrusted ? text(request.headers['x-forwarded-for']) : ''
  const forwardedBefore = peerTrusted ? text(request.headers.forwarded) : ''
  const viaBefore = peerTrusted ? text(request.headers.via) : ''
  const shownHost = (peerTrusted && text(request.headers['x-forwarded-host'])) || host
  const shownScheme = (peerTrusted && text(request.headers['x-forwarded-proto'])) || scheme
  const node = peerAddress.includes(':') ? `"[${peerAddress}]"` : peerAddress
  const element = `for=${node};host="${shownHost.replace(/["\\]/g, '')}";proto=${shownScheme}`
  const headers = [
    'x-forwarded-for',
    before === '' ? peerAddress : `${before}, ${peerAddress}`,
    'x-forwarded-proto',
    shownScheme,
    'x-forwarded-host',
    shownHost,
    'x-forwarded-port',
    portOf(shownHost, shownScheme),
    'forwarded',
    forwardedBefore === '' ? element : `${forwardedBefore}, ${element}`,
    'via',
    viaBefore === '' ? '1.1 trivium' : `${viaBefore}, 1.1 trivium`,
    'x-gateway',
    'trivium',
  ]
  if (prefix !== '') headers.push('x-forwarded-prefix', prefix)
  return headers
}

function portOf(host: string, scheme: string): string {
  const match = /:(\d{1,5})$/.exec(host)
  return match?.[1] ?? (scheme === 'https' ? '443' : '80')
}

function text(value: string | string[] | undefined): string {
  return value === undefined ? '' : String(value)
}
