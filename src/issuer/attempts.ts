import { hash } from 'node:crypto'
import { GatewayError } from '../core/error.ts'
import { networkOf } from '../core/network-of.ts'

/** When guessing is slowed down; times in milliseconds. */
export interface AttemptLimits {
  /** Failures of one user from one address before the first wait. */
  readonly perUserAndAddress: number
  /** Failures from one address (of IPv6: its /64), of whichever users. */
  readonly perAddress: number
  /** Failures of one user, from whichever addresses. */
  readonly perUser: number
  /** The first wait; each failure after it doubles it. */
  readonly delayMs: number
  readonly maxDelayMs: number
  /** How long after the last one failures are forgotten. */
  readonly forgetAfterMs: number
}

/** What an attempt is counted under: hashes, because what is typed in as a name may be a password. */
export interface AttemptKeys {
  readonly pair: string
  readonly address: string
  readonly user: string
}

/**
 * Counts failed logins. Where one of three counts is above its limit there is a wait between two attempts, which grows; attempts within it are
 * refused and not counted. The wait of a user from all addresses ends at 30 s and is not for addresses from which the user has logged in before:
 * strangers must not be able to lock anybody out. Names that nobody has are counted like others.
 */
export interface Attempts {
  /** Counts an attempt as failed, until {@link succeeded} takes it back. Rejects with TOO_MANY_ATTEMPTS, and UNAVAILABLE where a store does not answer. */
  begin(keys: AttemptKeys): Promise<void>
  succeeded(keys: AttemptKeys): Promise<void>
}

/** The longest wait of one user for strangers. */
export const maxUserDelayMs = 30_000
/** How long an address from which a user has logged in is known. */
export const knownForMs = 2_592_000_000

/** @param name prepared. */
export function attemptKeys(name: string, address: string): AttemptKeys {
  const network = networkOf(address)
  return {
    pair: digest(`p\n${network}\n${name}`),
    address: digest(`a\n${network}`),
    user: digest(`u\n${name}`),
  }
}

/** How long the next attempt has to wait after so many failures. */
export function delayAfter(failures: number, free: number, { delayMs, maxDelayMs }: Delays): number {
  return failures < free ? 0 : Math.min(maxDelayMs, delayMs * 2 ** Math.min(failures - free, 30))
}

type Delays = Pick<AttemptLimits, 'delayMs' | 'maxDelayMs'>

/** The same for users that there are and users that there are not. */
export function tooManyAttempts(waitMs: number): GatewayError {
  return new GatewayError('TOO_MANY_ATTEMPTS', 'Too many failed logins: wait before the next one.', {
    retryAfterMs: waitMs,
  })
}

function digest(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, 22)
}
