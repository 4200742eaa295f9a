import type { Logger } from './core/log.ts'
import type { CertificateExpiry } from './listener/tls-identities.ts'

const dayMs = 86_400_000
const noticeDays = 14

/** Says once a day which certificates end within 14 days, or have ended. */
export class CertificateWatch {
  readonly #log: Logger
  readonly #now: () => number
  readonly #timer: NodeJS.Timeout
  #expiries: readonly CertificateExpiry[] = []

  constructor(log: Logger, now: () => number) {
    this.#log = log
    this.#now = now
    this.#timer = setInterval(() => this.#look(), dayMs).unref()
  }

  get expiries(): readonly CertificateExpiry[] {
    return this.#expiries
  }

  /** Looks at these from now on, and at once. */
  watch(expiries: readonly CertificateExpiry[]): void {
    this.#expiries = expiries
    this.#look()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    for (const { name, expiresAt } of this.#expiries) {
      const leftMs = expiresAt - this.#now()
      if (leftMs > noticeDays * dayMs) continue
      const fields = { certificate: name, expiresAt: new Date(expiresAt).toISOString() }
      if (leftMs <= 0) this.#log.error(fields, 'a TLS certificate has expired')
      else this.#log.warn({ ...fields, days: Math.floor(leftMs / dayMs) }, 'a TLS certificate expires soon')
    }
  }
}
