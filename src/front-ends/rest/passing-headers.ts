import type { IncomingHttpHeaders } from 'node:http'
import { passesToClient } from '../../core/headers.ts'

/**
 * The upstream's headers that pass to the client, in their order and spelling, then `Via`; flat. What `Connection` names is
 * meant for us alone (RFC 9110 section 7.6.1). Throws for a transfer coding that we would have to undo. Of HTTP/2 they come by name.
 */
export function passingHeaders(given: readonly (Buffer | string)[] | IncomingHttpHeaders): string[] {
  const raw = Array.isArray(given) ? given : flat(given as IncomingHttpHeaders)
  const headers: string[] = []
  let named: Set<string> | undefined
  for (let i = 0; i < raw.length; i += 2) {
    const name = text(raw[i])
    if (passesToClient(name)) headers.push(name, text(raw[i + 1]))
    else if (name.length === 17) requireChunked(name, text(raw[i + 1]))
    else if (name.length === 10) named = connectionOptions(name, text(raw[i + 1]), named)
  }
  headers.push('Via', '1.1 trivium')
  return named === undefined ? headers : without(headers, named)
}

function flat(headers: IncomingHttpHeaders): string[] {
  return Object.entries(headers).flatMap(([name, value = '']) =>
    (Array.isArray(value) ? value : [value]).flatMap((one) => [name, one]),
  )
}

function text(bytes: Buffer | string | undefined): string {
  return typeof bytes === 'string' ? bytes : (bytes as Buffer).toString('latin1')
}

function connectionOptions(
  name: string,
  value: string,
  before: Set<string> | undefined,
): Set<string> | undefined {
  if (value === 'keep-alive' || value === 'close' || name.toLowerCase() !== 'connection') return before
  const options = value.split(',').map((option) => option.trim().toLowerCase())
  return new Set([...(before ?? []), ...options])
}

/** RFC 9112 section 6.1: the one coding that a client of HTTP/1.1 without `TE` has to understand. */
function requireChunked(name: string, value: string): void {
  if (name.toLowerCase() === 'transfer-encoding' && value.toLowerCase() !== 'chunked') {
    throw new Error(`Transfer-Encoding: ${value}`)
  }
}

function without(headers: readonly string[], names: ReadonlySet<string>): string[] {
  return headers.filter((_, i) => !names.has((headers[i & ~1] as string).toLowerCase()))
}
