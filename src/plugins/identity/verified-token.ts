import type { Principal } from '../../core/exchange.ts'
import type { IssuerKeys } from './issuer-keys.ts'

/** A token that was found good. */
export interface VerifiedToken {
  readonly principal: Principal
  /** Unix time in milliseconds; from then on it must be looked at again. */
  readonly validUntil: number
  /** What it was checked with, and which version of that: of another one it says nothing. */
  readonly keys: Pick<IssuerKeys, 'version'>
  readonly version: number
  /** What it is bound to, see `bindingOf`. */
  readonly binding: string | undefined
  /** About how much memory it takes. */
  readonly bytes: number
}

/** What an entry takes besides its claims: digest, principal, lists of roles, headers made from them. */
const overheadBytes = 1_000

/** About how much memory a token takes while it is remembered, by the length of its claims as text: as objects they take twice as much. */
export function bytesOf(length: number): number {
  return overheadBytes + 2 * length
}
