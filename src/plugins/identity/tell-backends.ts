import type { Exchange, UpstreamCall } from '../../core/exchange.ts'
import type { Plugin } from '../../core/plugin.ts'
import { foldHeaderName, takeOutHeaders } from '../../core/take-out-headers.ts'
import { identityHeaderNames, identityHeaders } from './identity-headers.ts'
import type { InternalTokens } from './internal-tokens.ts'

/** In which form an upstream is told who calls. */
export type Told = 'headers' | 'token' | 'both' | 'nothing'

/** How upstreams are told who calls. */
export interface TellOptions {
  /** By upstream; `headers` for those that are not there. */
  readonly told: ReadonlyMap<string, Told>
  /** Undefined: there are none. */
  readonly tokens: InternalTokens | undefined
  /** Lower-case name of the header of tokens; in `authorization` they are bearer tokens. */
  readonly header: string
  /** The audience of an upstream's tokens. */
  audience(upstreamName: string): string
  now(): number
}

/** Tells upstreams who calls; to be the last of all plugins. A token's header is the gateway's alone, whatever came under its name. */
export function tellBackends({ told, tokens, header, audience, now }: TellOptions): Plugin {
  const prefix = header === 'authorization' ? 'Bearer ' : ''
  const ours = tokens === undefined ? [] : [foldHeaderName(header)]
  const all = [...identityHeaderNames, ...ours]
  const tell = ({ principal }: Exchange, { headers, upstreamName }: UpstreamCall): void => {
    takeOutHeaders(headers, ours)
    if (principal === undefined) return
    const form = told.get(upstreamName) ?? 'headers'
    if (form === 'headers' || form === 'both') {
      const own = identityHeaders(principal)
      for (let i = 0; i < own.length; i++) headers.push(own[i] as string)
    }
    if (tokens === undefined || form === 'headers' || form === 'nothing') return
    headers.push(header, prefix + tokens.tokenFor(principal, audience(upstreamName), now()))
  }
  return {
    onCall: tell,
    onTurn(x, call) {
      takeOutHeaders(call.headers, all)
      tell(x, call)
    },
  }
}
