import type { HttpExchange } from './core/http-exchange.ts'
import type { ActiveExchanges } from './listener/active-exchanges.ts'
import { credentialExpired, credentialRevoked } from './plugins/identity/refusals.ts'
import type { Revocations } from './plugins/identity/revocations.ts'

/** What decides which long-lived exchanges end before they would. */
export interface StreamEndOptions {
  readonly revocations: Revocations
  /** The exchanges that have not settled. */
  readonly active: ActiveExchanges
  /** What the running configuration says. */
  settings(): StreamEndSettings
  now(): number
}

export interface StreamEndSettings {
  readonly endStreams: boolean
  readonly endStreamsAtExpiry: boolean
}

/** Many revocations that come together are one reason to look. */
const gatherMs = 50
const lookAgainMs = 1_000

/**
 * Ends WebSockets, streams and answers under way whose caller was revoked, or whose credential has expired. Requests that are not answered
 * yet go on: they were let in before, and soon end by themselves, or become streams, which end a second later. Returns what stops it.
 */
export function endStreamsOfRevoked({ revocations, active, settings, now }: StreamEndOptions): () => void {
  let gathering: NodeJS.Timeout | undefined
  const lookForRevoked = (): void => {
    clearTimeout(gathering)
    gathering = undefined
    for (const x of active.all()) {
      if (isLong(x) && x.principal !== undefined && revocations.isRevoked(x.principal))
        x.stop(credentialRevoked(x.principal))
    }
  }
  const lookForExpired = (): void => {
    const at = now()
    for (const x of active.all()) {
      if (isLong(x) && x.principal !== undefined && at >= (x.principal.expiresAt ?? Number.POSITIVE_INFINITY))
        x.stop(credentialExpired(x.principal))
    }
  }
  revocations.onChange(() => {
    if (settings().endStreams) gathering ??= setTimeout(lookForRevoked, gatherMs).unref()
  })
  const lookAgain = setInterval(() => {
    const { endStreams, endStreamsAtExpiry } = settings()
    // A stream may have begun after its caller was revoked.
    if (endStreams && revocations.size > 0) lookForRevoked()
    if (endStreamsAtExpiry) lookForExpired()
  }, lookAgainMs).unref()
  return () => {
    clearTimeout(gathering)
    clearInterval(lookAgain)
  }
}

/** Its answer has begun and is not written to its end, or it reads a stream of messages. */
function isLong(x: HttpExchange): boolean {
  return (x.committed || x.mayPause) && !x.res.writableEnded
}
