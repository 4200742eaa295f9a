import type { BackendRefusal } from '../../../../core/backend-refusal.ts'

/** A backend answered that it will not, or has no such thing. */
export class ServiceRefusal extends Error {
  override readonly name = 'ServiceRefusal'
  /** Of HTTP. */
  readonly status: number

  constructor({ status, message, said }: BackendRefusal) {
    super(said === '' ? `${message.replace(/\.$/, '')}.` : `${message}: ${said}`)
    this.status = status
  }

  /** `NOT_FOUND`, in words that users of Apollo know; undefined: nobody agreed on one, or it is the backend's own fault. */
  get code(): string | undefined {
    return codes[this.status]
  }
}

const codes: Readonly<Record<number, string | undefined>> = {
  400: 'BAD_USER_INPUT',
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  409: 'CONFLICT',
  422: 'BAD_USER_INPUT',
  429: 'RATE_LIMITED',
}
