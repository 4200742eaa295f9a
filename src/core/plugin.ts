import type { Exchange, ReplyHead, UpstreamCall } from './exchange.ts'

/** One plugin in one place: any of the moments of an exchange, and what to do when configuration drops it. */
export interface Plugin {
  /** Whether it comes before identity also where a place lists it: it answers who cannot have credentials, as preflights do. Default false. */
  readonly beforeIdentity?: boolean
  /** Throw a GatewayError to refuse. Return nothing when there is nothing to await: a promise costs. */
  onRequest?(x: Exchange): void | Promise<void>
  onCall?(x: Exchange, call: UpstreamCall): void
  onTurn?(x: Exchange, call: UpstreamCall): void
  onReply?(x: Exchange, reply: ReplyHead): void
  onSettled?(x: Exchange): void
  close?(): Promise<void>
}
