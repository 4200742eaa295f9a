import type { Exchange, Principal } from '../../core/exchange.ts'

/** One way to prove who one is. */
export interface Authenticator {
  /**
   * Who sent the request; undefined when it carries nothing of this kind. Throws (or rejects with) a GatewayError when what it carries is not
   * valid: it is then refused even if something else in it is.
   */
  authenticate(x: Exchange): Principal | undefined | Promise<Principal | undefined>
  /** Called when no configuration uses it any more. */
  close?(): Promise<void>
}
