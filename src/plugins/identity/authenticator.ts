import type { Exchange } from '../../core/exchange.ts'
import type { Principal } from '../../core/principal.ts'

/** One way to prove who one is. */
export interface Authenticator {
  /** What 401 answers say of it (RFC 9110 section 11.6.1); absent: no scheme, or nobody has such credentials. */
  readonly challenge?: string | undefined
  /**
   * Who sent the request; undefined when it carries nothing of this kind. Throws (or rejects with) a GatewayError when what it carries is not
   * valid: it is then refused even if something else in it is.
   */
  authenticate(x: Exchange): Principal | undefined | Promise<Principal | undefined>
  /** Forgets what it found out about credentials, so that it is found out again; returns how much that was. */
  forget?(): number
  /** Called when no configuration uses it any more. */
  close?(): Promise<void>
}
